#include "gatectl/key_material.h"

#include "base/json_text.h"
#include "gatectl/encoding.h"
#include "gatectl/files.h"
#include "jose/signer.h"

namespace gate::ctl {

namespace {

using jose::Value;

bool is_pem(std::string_view text) {
    return text.substr(0, 4096).find("-----BEGIN ") != std::string_view::npos;
}

Result<SecretEncoding, std::string> encoding_option(const Arguments& arguments) {
    const auto encoding = find_secret_encoding(arguments.value_or("encoding", "text"));
    if (!encoding) return fail(std::string("--encoding: expected text, hex or base64"));
    return *encoding;
}

Result<Secret, std::string> secret_option(const Arguments& arguments) {
    const auto encoding = encoding_option(arguments);
    if (!encoding) return fail(encoding.error());
    return read_secret_file(*arguments.value("secret-file"), *encoding);
}

// The one private key of a JWK or JWKS that --kid, or being alone, chooses.
Result<Value, std::string> choose_jwk(Value root, const std::optional<std::string>& kid) {
    const Value keys = root.member("keys");
    if (!keys.is(Value::Kind::kArray)) return root;
    Value chosen;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Value key = keys.at(i);
        if (kid ? key.member("kid").string() != *kid : keys.size() != 1) continue;
        chosen = key;
    }
    if (chosen.present()) return chosen;
    return fail(kid ? "holds no key with the kid " + json_string(*kid)
                    : std::string("holds several keys; choose one by --kid"));
}

Result<Signer, std::string> signer_from_jwk(std::string_view text,
                                            const std::optional<std::string>& kid) {
    const auto document = jose::Document::parse(text);
    if (!document) {
        return fail("is neither PEM nor strict JSON (" + std::string(code(document.error())) + ")");
    }
    const auto jwk = choose_jwk(document->root(), kid);
    if (!jwk) return fail(jwk.error());
    const auto key = jose::read_signing_jwk(*jwk);
    if (!key) return fail(key.error().detail);
    Signer signer{*key, std::string(jwk->member("kid").string().value_or("")), (*key)->algs()};
    if (const auto alg = crypto::find_alg(jwk->member("alg").string().value_or(""))) {
        signer.algs = signer.algs & crypto::AlgSet{*alg};
    }
    return signer;
}

Result<Signer, std::string> signer_from_file(const Arguments& arguments) {
    const std::string path = *arguments.value("key");
    auto text = read_file(path, kMaxDocument);
    if (!text) return fail(text.error());
    Result<Signer, std::string> signer = fail(std::string());
    if (is_pem(*text)) {
        const auto key = crypto::SigningKey::from_pem(*text);
        if (key) {
            signer = Signer{*key, "", (*key)->algs()};
        } else {
            signer = fail(key.error().detail);
        }
    } else {
        signer = signer_from_jwk(*text, arguments.value("kid"));
    }
    wipe(text->data(), text->size());
    if (!signer) return fail(path + ": " + signer.error());
    return signer;
}

}  // namespace

Result<Signer, std::string> load_signer(const Arguments& arguments) {
    if (arguments.has("key") == arguments.has("secret-file")) {
        return fail(std::string("give either --key or --secret-file"));
    }
    if (arguments.has("key")) return signer_from_file(arguments);
    const auto secret = secret_option(arguments);
    if (!secret) return fail(secret.error());
    const auto key = crypto::SigningKey::from_secret(secret->bytes());
    if (!key) return fail(*arguments.value("secret-file") + ": " + key.error().detail);
    return Signer{*key, "", (*key)->algs()};
}

Status<std::string> add_key_file(jose::KeySet& keys, const std::string& path, std::string_view kid,
                                 crypto::AlgSet algs) {
    const auto text = read_file(path, kMaxDocument);
    if (!text) return fail(text.error());
    const auto added = is_pem(*text) ? keys.add_pem(*text, kid, algs) : keys.add_jwks(*text);
    if (added) return Done{};
    return fail(path + ": " + added.error().detail + " (" +
                std::string(code(added.error().reason)) + ")");
}

Result<jose::KeySet, std::string> load_verifiers(const Arguments& arguments) {
    jose::KeySet keys;
    for (const std::string_view option : {"jwks", "pem"}) {
        for (const std::string& path : arguments.values(option)) {
            const auto added = add_key_file(keys, path, "", {});
            if (!added) return fail(added.error());
        }
    }
    if (const auto path = arguments.value("secret-file")) {
        const auto secret = secret_option(arguments);
        if (!secret) return fail(secret.error());
        const auto added = keys.add_secret(secret->bytes(), "", {});
        if (!added) return fail(*path + ": " + added.error().detail);
    }
    return keys;
}

Result<crypto::AlgSet, std::string> algorithms_option(const Arguments& arguments) {
    crypto::AlgSet algs;
    for (const std::string& name : arguments.values("alg")) {
        const auto alg = crypto::find_alg(name);
        if (!alg) {
            return fail("--alg: " + json_string(name) + " is none of " +
                        crypto::AlgSet::all().names());
        }
        algs.insert(*alg);
    }
    return algs;
}

}  // namespace gate::ctl
