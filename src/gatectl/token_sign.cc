// gatectl token sign.
#include <algorithm>
#include <array>

#include "base/json_text.h"
#include "crypto/digest.h"
#include "gatectl/files.h"
#include "gatectl/input.h"
#include "gatectl/key_material.h"
#include "gatectl/output.h"
#include "gatectl/token_commands.h"
#include "jose/signer.h"

namespace gate::ctl {

namespace {

using jose::Document;
using jose::Value;

constexpr Seconds kDefaultLife = 3600;

// Claims in the order they were named; a later one replaces an earlier one of the same name.
class ClaimList {
public:
    void set(std::string_view name, std::string json) {
        for (auto& [known, value] : claims_) {
            if (known == name) {
                value = std::move(json);
                return;
            }
        }
        claims_.emplace_back(name, std::move(json));
    }
    bool has(std::string_view name) const {
        return std::ranges::any_of(claims_, [&](const auto& claim) { return claim.first == name; });
    }
    std::string json() const {
        JsonObject object;
        for (const auto& [name, value] : claims_) object.raw(name, value);
        return object.str();
    }

private:
    std::vector<std::pair<std::string, std::string>> claims_;
};

Status<std::string> take_document(const Arguments& arguments, Io& io, ClaimList& claims) {
    const auto path = arguments.value("claims");
    if (!path) return Done{};
    std::string text;
    if (*path == "-") {
        text = read_credential(io.in).text();
    } else {
        auto read = read_file(*path, kMaxDocument);
        if (!read) return fail(read.error());
        text = *std::move(read);
    }
    const auto document = Document::parse(text);
    if (!document) {
        return fail("--claims: not a strict JSON object (" + std::string(code(document.error())) +
                    ")");
    }
    for (const std::string_view name : document->root().member_names()) {
        claims.set(name, document->root().member(name).dump());
    }
    return Done{};
}

Status<std::string> take_named(const Arguments& arguments, ClaimList& claims) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTexts{
        {{"issuer", "iss"}, {"subject", "sub"}, {"client", "client_id"}, {"scope", "scope"}}};
    for (const auto& [option, claim] : kTexts) {
        if (const auto text = arguments.value(option)) claims.set(claim, json_string(*text));
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLists{
        {{"audience", "aud"}, {"role", "roles"}, {"group", "groups"}}};
    for (const auto& [option, claim] : kLists) {
        std::vector<std::string> elements;
        for (const std::string& text : arguments.values(option)) {
            elements.push_back(json_string(text));
        }
        // RFC 7519 section 4.1.3: one audience may stand alone.
        if (elements.size() == 1 && claim == "aud") {
            claims.set(claim, elements.front());
        } else if (!elements.empty()) {
            claims.set(claim, json_array(elements));
        }
    }
    return Done{};
}

Status<std::string> take_free(const Arguments& arguments, ClaimList& claims) {
    for (const std::string_view option : {"claim", "claim-json"}) {
        for (const std::string& text : arguments.values(option)) {
            const std::size_t equals = text.find('=');
            if (equals == 0 || equals == std::string::npos) {
                return fail("--" + std::string(option) + ": expected NAME=VALUE, not " +
                            json_string(text));
            }
            const std::string name = text.substr(0, equals);
            const std::string value = text.substr(equals + 1);
            if (option == "claim") {
                claims.set(name, json_string(value));
                continue;
            }
            const auto parsed = Document::parse("{\"v\":" + value + "}");
            if (!parsed || parsed->root().size() != 1) {
                return fail("--claim-json: the value of " + json_string(name) + " is no JSON");
            }
            claims.set(name, parsed->root().member("v").dump());
        }
    }
    return Done{};
}

// iat, exp and jti where nobody named them.
Status<std::string> take_defaults(const Arguments& arguments, Seconds now, ClaimList& claims) {
    const auto life = parse_duration(arguments.value_or("ttl", std::to_string(kDefaultLife)));
    if (!life) return fail(std::string("--ttl: expected a time such as 1h"));
    if (arguments.has("bare")) return Done{};
    if (!claims.has("iat")) claims.set("iat", std::to_string(now));
    if (!claims.has("exp")) claims.set("exp", std::to_string(now + *life));
    if (claims.has("jti")) return Done{};
    std::array<std::uint8_t, 16> random{};
    if (!crypto::random_bytes(random)) return fail(std::string("the machine has no entropy"));
    claims.set("jti", json_string(to_hex(random)));
    return Done{};
}

Result<std::string, std::string> collect_claims(const Arguments& arguments, Io& io) {
    ClaimList claims;
    if (auto taken = take_document(arguments, io, claims); !taken) return fail(taken.error());
    if (auto taken = take_named(arguments, claims); !taken) return fail(taken.error());
    if (auto taken = take_free(arguments, claims); !taken) return fail(taken.error());
    if (auto taken = take_defaults(arguments, io.now, claims); !taken) return fail(taken.error());
    return claims.json();
}

// --alg, or the first that the key serves.
Result<crypto::Alg, std::string> choose_algorithm(const Arguments& arguments,
                                                  const Signer& signer) {
    const auto wanted = algorithms_option(arguments);
    if (!wanted) return fail(wanted.error());
    const crypto::AlgSet usable = wanted->empty() ? signer.algs : signer.algs & *wanted;
    for (std::size_t i = 0; i < crypto::kAlgCount; ++i) {
        const auto alg = static_cast<crypto::Alg>(i);
        if (usable.contains(alg)) return alg;
    }
    return fail("the key serves " + signer.algs.names() + ", not " + wanted->names());
}

}  // namespace

int run_token_sign(const Arguments& arguments, Io& io) {
    const auto signer = load_signer(arguments);
    if (!signer) return refuse(io, signer.error());
    const auto alg = choose_algorithm(arguments, *signer);
    if (!alg) return refuse(io, alg.error());
    const auto claims = collect_claims(arguments, io);
    if (!claims) return misuse(io, claims.error());

    JsonObject header;
    header.text("alg", info(*alg).name).text("typ", arguments.value_or("type", "JWT"));
    const std::string kid = arguments.value_or("kid", signer->kid);
    if (!kid.empty()) header.text("kid", kid);
    const auto token = jose::sign_compact(*signer->key, *alg, header.str(), *claims);
    if (!token) return refuse(io, "signing failed");
    if (arguments.has("json")) {
        JsonObject object;
        object.text("token", *token).raw("header", header.str()).raw("claims", *claims);
        io.out << object.str() << '\n';
    } else {
        io.out << *token << '\n';
    }
    return kDone;
}

}  // namespace gate::ctl
