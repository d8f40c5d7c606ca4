#include <algorithm>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

using crypto::AlgSet;
using crypto::kHmacAlgs;

constexpr AlgSet kAllAlgs = AlgSet::all();

// A gate_issuer block while it is read.
struct Block {
    LiveIssuer& live;
    bool named_issuer = false;
    bool named_audience = false;
    AlgSet algorithms;  // of the word; empty: not written
    ClaimLines claims;
};

std::vector<std::string> strings(const std::vector<std::string_view>& values) {
    return {values.begin(), values.end()};
}

bool take_alg(Directive& word, std::string_view name, AlgSet& algs) {
    const auto alg = crypto::find_alg(name);
    if (!alg) {
        return word.fail("names the unknown algorithm " + quoted(name) +
                         "; known: " + kAllAlgs.names());
    }
    algs.insert(*alg);
    return true;
}

bool take_duration(Directive& word, std::string_view text, Seconds limit, Seconds& seconds) {
    const auto parsed = parse_duration(text);
    if (!parsed || *parsed > limit) {
        return word.unknown(text, "a time of at most " + std::to_string(limit) + "s, such as 10s");
    }
    seconds = *parsed;
    return true;
}

bool set_issuer(Directive& word, Block& block) {
    block.named_issuer = true;
    if (word.values()[0] == "off") return true;
    if (word.values()[0].empty())
        return word.fail("is empty; write \"issuer off;\" for tokens without iss");
    block.live.issuer.iss = word.values()[0];
    return true;
}

bool set_jwks_file(Directive& word, Block& block) {
    SourceFile file;
    file.kind = SourceFile::Kind::kJwks;
    file.path = word.path(word.values()[0]);
    file.where = word.where().text();
    block.live.files.push_back(std::move(file));
    return true;
}

bool take_key_option(Directive& word, std::string_view value, SourceFile& file) {
    if (const auto path = option(value, "file")) {
        file.kind = SourceFile::Kind::kPem;
        file.path = *path;
    } else if (const auto secret = option(value, "secret_file")) {
        file.kind = SourceFile::Kind::kSecret;
        file.path = *secret;
    } else if (const auto kid = option(value, "kid")) {
        if (kid->empty()) return word.fail("has an empty kid=; leave it out");
        file.kid = *kid;
    } else if (const auto algs = option(value, "alg")) {
        for (std::string_view name : split(*algs, ',')) {
            if (!take_alg(word, name, file.algs)) return false;
        }
    } else if (value == "hex" || value == "base64" || value == "text") {
        file.encoding = value == "hex"      ? SecretEncoding::kHex
                        : value == "base64" ? SecretEncoding::kBase64
                                            : SecretEncoding::kText;
    } else {
        return word.unknown(value, "file=, secret_file=, hex, base64, text, kid= or alg=");
    }
    return true;
}

bool set_key(Directive& word, Block& block) {
    SourceFile file;
    bool encoded = false;
    for (std::string_view value : word.values()) {
        if (!file.path.empty() && (option(value, "file") || option(value, "secret_file"))) {
            return word.fail("names two files; write a second line for " + quoted(value));
        }
        encoded = encoded || value == "hex" || value == "base64" || value == "text";
        if (!take_key_option(word, value, file)) return false;
    }
    if (file.path.empty()) return word.fail("names no file; write file= or secret_file=");
    if (encoded && file.kind == SourceFile::Kind::kPem) {
        return word.fail("has hex, base64 or text beside file=; they belong to secret_file=");
    }
    const bool secret = file.kind == SourceFile::Kind::kSecret;
    const AlgSet fitting = secret ? file.algs & kHmacAlgs : file.algs;
    if (!(fitting == file.algs)) {
        return word.fail("has alg=" + file.algs.names() +
                         " beside secret_file=; a secret serves HS256, "
                         "HS384 and HS512 only");
    }
    if (!secret && !(file.algs & kHmacAlgs).empty()) {
        return word.fail("has alg=" + file.algs.names() +
                         " beside file=; HS algorithms need secret_file=");
    }
    file.path = word.path(file.path);
    file.where = word.where().text();
    block.live.files.push_back(std::move(file));
    return true;
}

bool set_algorithms(Directive& word, Block& block) {
    for (std::string_view name : word.values()) {
        if (!take_alg(word, name, block.algorithms)) return false;
    }
    return true;
}

bool set_audience(Directive& word, Block& block) {
    const auto& values = word.values();
    block.named_audience = true;
    if (std::find(values.begin(), values.end(), "off") != values.end()) {
        if (values.size() > 1)
            return word.fail("has \"off\" beside other values; \"off\" stands alone");
        block.live.issuer.audience_off = true;
        return true;
    }
    block.live.issuer.audiences = strings(values);
    return true;
}

bool set_leeway(Directive& word, Block& block) {
    jose::Issuer& issuer = block.live.issuer;
    for (std::string_view value : word.values()) {
        if (const auto exp = option(value, "exp")) {
            if (!take_duration(word, *exp, jose::kMaxLeeway, issuer.leeway_exp)) return false;
        } else if (const auto nbf = option(value, "nbf")) {
            if (!take_duration(word, *nbf, jose::kMaxLeeway, issuer.leeway_nbf)) return false;
        } else if (const auto iat = option(value, "iat")) {
            if (!take_duration(word, *iat, jose::kMaxLeeway, issuer.leeway_iat)) return false;
        } else {
            if (word.values().size() > 1)
                return word.unknown(value, "one time, or exp=, nbf= and iat=");
            if (!take_duration(word, value, jose::kMaxLeeway, issuer.leeway_exp)) return false;
            issuer.leeway_nbf = issuer.leeway_iat = issuer.leeway_exp;
        }
    }
    return true;
}

bool set_require_exp(Directive& word, Block& block) {
    const std::string_view value = word.values()[0];
    block.live.issuer.require_exp = value == "on";
    return value == "on" || value == "off" || word.unknown(value, "on or off");
}

bool set_max_lifetime(Directive& word, Block& block) {
    constexpr Seconds kYear = 365 * 86400;
    if (!take_duration(word, word.values()[0], kYear, block.live.issuer.max_lifetime)) return false;
    return block.live.issuer.max_lifetime > 0 || word.unknown(word.values()[0], "a time above 0s");
}

bool set_require_claim(Directive& word, Block& block) {
    for (std::string_view name : word.values()) block.live.issuer.require_claims.emplace_back(name);
    return true;
}

bool set_type(Directive& word, Block& block) {
    block.live.issuer.types = strings(word.values());
    return true;
}

template <jose::ClaimNames jose::Issuer::*Member>
bool set_claim_names(Directive& word, Block& block) {
    block.live.issuer.*Member = strings(word.values());
    return true;
}

bool set_roles(Directive& word, Block& block) {
    block.live.roles_name = word.values()[0];
    return true;
}

bool set_sign(Directive& word, Block& block) {
    return set_issuer_sign(word, block.live.issuer);
}

bool set_claim(Directive& word, Block& block) {
    return add_issuer_claim(word, block.claims);
}

constexpr Word<Block> kWords[] = {
    {"issuer", 1, 1, false, set_issuer},
    {"jwks_file", 1, 1, false, set_jwks_file},
    {"key", 1, 5, true, set_key},
    {"algorithms", 1, kAnyCount, false, set_algorithms},
    {"audience", 1, kAnyCount, false, set_audience},
    {"type", 1, kAnyCount, false, set_type},
    {"leeway", 1, 3, false, set_leeway},
    {"require_exp", 1, 1, false, set_require_exp},
    {"max_lifetime", 1, 1, false, set_max_lifetime},
    {"require_claim", 1, kAnyCount, true, set_require_claim},
    {"subject_claim", 1, kAnyCount, false, set_claim_names<&jose::Issuer::subject_claim>},
    {"client_claim", 1, kAnyCount, false, set_claim_names<&jose::Issuer::client_claim>},
    {"scope_claim", 1, kAnyCount, false, set_claim_names<&jose::Issuer::scope_claim>},
    {"role_claim", 1, kAnyCount, false, set_claim_names<&jose::Issuer::role_claim>},
    {"group_claim", 1, kAnyCount, false, set_claim_names<&jose::Issuer::group_claim>},
    {"roles", 1, 1, false, set_roles},
    {"sign", 1, 3, false, set_sign},
    {"claim", 2, 2, true, set_claim},
};

// "algorithms", else what the keys name by alg=, else the default of asymmetric ones.
bool settle_algorithms(const Directive& directive, Block& block) {
    AlgSet named;
    bool has_secret = false;
    for (const SourceFile& file : block.live.files) {
        named = named | file.algs;
        has_secret = has_secret || file.kind == SourceFile::Kind::kSecret;
    }
    AlgSet& algorithms = block.live.issuer.algorithms;
    if (!block.algorithms.empty()) {
        algorithms = block.algorithms;
    } else if (!named.empty()) {
        algorithms = named;
    }
    const AlgSet hmac = algorithms & kHmacAlgs;
    if (has_secret && hmac.empty()) {
        return fail_block(directive,
                          "has a secret but no algorithm that uses it; write alg=HS256 beside the "
                          "secret, or \"algorithms HS256;\"");
    }
    if (!hmac.empty() && !(hmac == algorithms)) {
        return fail_block(directive, "accepts HS algorithms together with asymmetric ones (" +
                                         algorithms.names() +
                                         "); use one gate_issuer block for each sort");
    }
    for (const SourceFile& file : block.live.files) {
        if (!file.algs.empty() && (file.algs & algorithms).empty()) {
            return fail_at(directive.cf(), file.where,
                           "gate_issuer " + quoted(block.live.issuer.name) + ": \"key\" has alg=" +
                               file.algs.names() + ", none of which \"algorithms\" (" +
                               algorithms.names() + ") allows");
        }
    }
    return true;
}

}  // namespace

bool set_gate_issuer(Directive& directive, MainConf& main) {
    if (!check_block_name(directive)) return false;
    auto live = std::make_unique<LiveIssuer>();
    live->issuer.name = directive.values()[0];
    live->where = directive.where().text();
    for (const auto& other : main.issuers) {
        if (other->issuer.name == live->issuer.name) return declared_twice(directive, other->where);
    }
    Block block{*live, false, false, {}, {}};
    if (!read_words(directive, kWords, block)) return false;
    if (!block.named_issuer) {
        return fail_block(directive,
                          "names no issuer; write \"issuer URL;\" with what its tokens carry in "
                          "\"iss\", or \"issuer off;\" for tokens without");
    }
    if (!block.named_audience) {
        return fail_block(
            directive,
            "names no audience; write \"audience NAME;\" with what its tokens carry in "
            "\"aud\", or \"audience off;\" to accept tokens made for others too");
    }
    if (live->files.empty()) {
        return fail_block(directive,
                          "has no keys; write \"jwks_file PATH;\" or \"key file=PATH;\"");
    }
    if (!settle_algorithms(directive, block)) return false;
    if (!complete_signing(directive, *live, block.claims)) return false;
    main.issuers.push_back(std::move(live));
    return true;
}

}  // namespace gate::nginx
