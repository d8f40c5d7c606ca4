#include "nginx/issuer_keys.h"

#include <optional>

#include "base/bytes.h"
#include "jose/issue.h"

namespace gate::nginx {

namespace {

using Kind = SourceFile::Kind;

std::string name_key(const std::string& kid) {
    return kid.empty() ? "a key without kid" : "key \"" + log_escaped(kid, 64) + '"';
}

// Notes for the keys of a document that is used in part, and its error when no key is left.
std::optional<std::string> judge_document(const jose::KeySet& keys, std::size_t first_key,
                                          std::size_t first_skipped, const jose::Issuer& issuer,
                                          std::vector<std::string>& notes) {
    for (std::size_t i = first_skipped; i < keys.skipped().size(); ++i) {
        const jose::SkippedKey& skipped = keys.skipped()[i];
        notes.push_back("skips " + name_key(skipped.kid) + ": " + skipped.detail);
    }
    bool usable = false;
    crypto::AlgSet served;
    for (std::size_t i = first_key; i < keys.keys().size(); ++i) {
        const jose::SetKey& key = keys.keys()[i];
        served = served | key.algs;
        if (!(key.algs & issuer.algorithms).empty()) {
            usable = true;
        } else {
            notes.push_back("never uses " + name_key(key.kid) + ", which serves " +
                            key.algs.names() + "; the issuer's algorithms are " +
                            issuer.algorithms.names());
        }
    }
    if (usable) return std::nullopt;
    return "its keys serve " + served.names() + ", none of which the issuer's algorithms (" +
           issuer.algorithms.names() + ") allow; name one by \"algorithms\"";
}

// A private key of an issuer that makes no tokens.
bool is_idle_key(const SourceFile& file, const jose::Issuer& issuer) {
    return file.kind == Kind::kPem && !issuer.signing &&
           file.text->text().find("PRIVATE KEY-----") != std::string_view::npos;
}

std::optional<std::string> add_file(jose::KeySet& keys, const SourceFile& file,
                                    const jose::Issuer& issuer, std::vector<std::string>& notes) {
    const std::size_t first_key = keys.keys().size();
    const std::size_t first_skipped = keys.skipped().size();
    if (file.kind == Kind::kJwks) {
        const auto added = keys.add_jwks(file.text->text());
        if (!added) return added.error().detail;
        return judge_document(keys, first_key, first_skipped, issuer, notes);
    }
    const bool secret = file.kind == Kind::kSecret;
    const crypto::AlgSet algs =
        secret && file.algs.empty() ? issuer.algorithms & crypto::kHmacAlgs : file.algs;
    const auto use = issuer.signing ? jose::KeyUse::kSign : jose::KeyUse::kVerify;
    const auto added = secret ? keys.add_secret(file.text->bytes(), file.kid, algs, use)
                              : keys.add_pem(file.text->text(), file.kid, algs, use);
    if (!added) {
        const bool weak = secret && added.error().reason == Reason::kJwkWeak;
        return added.error().detail + (weak ? "; make one with \"gatectl secret new\""
                                       : is_idle_key(file, issuer)
                                           ? "; write \"sign access=1h;\" if it is to sign"
                                           : "");
    }
    const jose::SetKey& key = keys.keys().back();
    if (!(key.algs & issuer.algorithms).empty()) return std::nullopt;
    return "its key serves " + key.algs.names() + ", none of which the issuer's algorithms (" +
           issuer.algorithms.names() + ") allow; name one by \"algorithms\" or alg=";
}

std::string cannot_sign(const jose::Signing& signing) {
    const std::string remedy =
        "; write \"key file=\" with a private key or \"key secret_file=\" of an algorithm that the "
        "issuer allows";
    if (signing.kid.empty()) return "no key of the issuer can sign" + remedy;
    return "no key of the issuer with the kid \"" + signing.kid + "\" can sign" + remedy;
}

}  // namespace

Result<IssuerKeys, LoadFailure> build_keys(const jose::Issuer& issuer,
                                           const std::vector<SourceFile>& files) {
    IssuerKeys built;
    jose::KeySet keys;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (auto problem = add_file(keys, files[i], issuer, built.notes)) {
            return fail(LoadFailure{i, std::move(*problem)});
        }
    }
    if (issuer.signing && jose::signing_key(keys, issuer) == nullptr) {
        return fail(
            LoadFailure{.text = cannot_sign(*issuer.signing), .where = issuer.signing->where});
    }
    for (const std::string& warning : keys.warnings()) built.notes.push_back(warning);
    built.keys = std::make_shared<const jose::KeySet>(std::move(keys));
    return built;
}

}  // namespace gate::nginx
