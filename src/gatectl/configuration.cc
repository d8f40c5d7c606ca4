#include "gatectl/configuration.h"

#include <unistd.h>

#include <cstdlib>

#include "base/json_text.h"
#include "base/text_list.h"
#include "gatectl/encoding.h"
#include "gatectl/files.h"
#include "gatectl/output.h"
#include "gatectl/process.h"

namespace gate::ctl {

namespace {

using jose::Value;

constexpr std::size_t kMaxDump = std::size_t{256} << 20;

// A private file that is gone when this object is.
class TemporaryFile {
public:
    TemporaryFile() {
        const char* directory = std::getenv("TMPDIR");
        path_ = std::string(directory != nullptr && *directory != '\0' ? directory : "/tmp") +
                "/gatectl-XXXXXX";
        fd_ = Descriptor(mkstemp(path_.data()));
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (fd_) unlink(path_.c_str());
    }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    Descriptor fd_;
};

std::vector<std::string> command_line(const Arguments& arguments) {
    const std::string usual = "/usr/sbin/nginx";
    const std::string found = access(usual.c_str(), X_OK) == 0 ? usual : "nginx";
    std::vector<std::string> words{arguments.value_or("nginx", found), "-t"};
    for (const std::string_view option : {"c", "p"}) {
        const auto value = arguments.value(option);
        if (!value) continue;
        words.push_back("-" + std::string(option));
        // nginx takes a relative -c from its prefix; people mean the directory they are in.
        const std::unique_ptr<char, decltype(&std::free)> real(realpath(value->c_str(), nullptr),
                                                               &std::free);
        words.push_back(real ? real.get() : *value);
        // Without the slash nginx 1.22 would join the prefix and names wrongly.
        if (option == "p" && !words.back().ends_with('/')) words.back() += '/';
    }
    return words;
}

crypto::AlgSet algorithms_of(Value list) {
    crypto::AlgSet algs;
    for (const std::string& name : strings_of(list)) {
        if (const auto alg = crypto::find_alg(name)) algs.insert(*alg);
    }
    return algs;
}

std::string text_of(Value value) {
    return std::string(value.string().value_or(""));
}

Status<std::string> add_file(jose::KeySet& keys, Value file, const jose::Issuer& issuer) {
    const std::string path = text_of(file.member("path"));
    const std::string kid = text_of(file.member("kid"));
    crypto::AlgSet algs = algorithms_of(file.member("algorithms"));
    if (file.member("kind").string() == "secret") {
        // As the module: a secret without alg= serves the issuer's HMAC algorithms.
        if (algs.empty()) algs = issuer.algorithms & crypto::kHmacAlgs;
        const auto encoding = find_secret_encoding(text_of(file.member("encoding")));
        const auto secret = read_secret_file(path, encoding.value_or(SecretEncoding::kText));
        if (!secret) return fail(secret.error());
        const auto added = keys.add_secret(secret->bytes(), kid, algs);
        if (!added) return fail(path + ": " + added.error().detail);
        return Done{};
    }
    const auto text = read_file(path, kMaxDocument);
    if (!text) return fail(text.error());
    const auto added = file.member("kind").string() == "jwks" ? keys.add_jwks(*text)
                                                              : keys.add_pem(*text, kid, algs);
    if (!added) return fail(path + ": " + added.error().detail);
    return Done{};
}

}  // namespace

std::vector<std::string> strings_of(Value list) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (const auto text = list.at(i).string()) texts.emplace_back(*text);
    }
    return texts;
}

Result<jose::Document, std::string> read_configuration(const Arguments& arguments) {
    const TemporaryFile dump;
    if (!dump) return fail(system_error(dump.path()));
    const auto run = run_program(command_line(arguments), {"GATE_DUMP", dump.path()});
    if (!run) return fail(run.error());
    if (run->status != 0) return fail("nginx -t failed:\n" + run->output);
    const auto text = read_file(dump.path(), kMaxDump);
    if (!text) return fail(text.error());
    if (text->empty()) {
        return fail(
            std::string("nginx -t is content but told nothing of nginx-gate: does this "
                        "configuration load the module?"));
    }
    auto document = jose::Document::parse(*text, jose::kOperatorLimits);
    if (!document || document->root().member("version").integer() != 1) {
        return fail(std::string("what nginx -t told is of another version of nginx-gate"));
    }
    return *std::move(document);
}

Result<Value, std::string> find_block(Value list, std::string_view what, std::string_view name) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list.at(i).member("name").string() == name) return list.at(i);
        names.push_back(text_of(list.at(i).member("name")));
    }
    return fail("no " + std::string(what) + " " + json_string(name) +
                "; declared: " + joined(names, ", ", "none"));
}

jose::Issuer issuer_from(Value block) {
    jose::Issuer issuer;
    const auto number = [&block](std::string_view name) {
        return block.member(name).integer().value_or(0);
    };
    issuer.name = text_of(block.member("name"));
    if (const auto iss = block.member("issuer").string()) issuer.iss = *iss;
    issuer.algorithms = algorithms_of(block.member("algorithms"));
    issuer.audience_off = block.member("audience_off").boolean().value_or(false);
    issuer.audiences = strings_of(block.member("audiences"));
    issuer.types = strings_of(block.member("types"));
    issuer.leeway_exp = number("leeway_exp");
    issuer.leeway_nbf = number("leeway_nbf");
    issuer.leeway_iat = number("leeway_iat");
    issuer.require_exp = block.member("require_exp").boolean().value_or(true);
    issuer.max_lifetime = number("max_lifetime");
    issuer.require_claims = strings_of(block.member("require_claims"));
    issuer.subject_claim = strings_of(block.member("subject_claim"));
    issuer.client_claim = strings_of(block.member("client_claim"));
    issuer.scope_claim = strings_of(block.member("scope_claim"));
    issuer.role_claim = strings_of(block.member("role_claim"));
    issuer.group_claim = strings_of(block.member("group_claim"));
    return issuer;
}

Result<jose::KeySet, std::string> keys_of_issuer(Value block, const jose::Issuer& issuer) {
    jose::KeySet keys;
    const Value files = block.member("files");
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto added = add_file(keys, files.at(i), issuer);
        if (!added) return fail(added.error());
    }
    return keys;
}

Result<policy::KeyStore, std::string> store_from(Value block) {
    policy::KeyStore store;
    store.name = text_of(block.member("name"));
    store.format.prefix = text_of(block.member("prefix"));
    store.format.checksum = block.member("checksum").boolean().value_or(true);
    if (block.member("digest").string() == "hmac-sha256") {
        store.digest = apikey::DigestKind::kHmacSha256;
    }
    const Value files = block.member("files");
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files.at(i).member("kind").string() != "pepper") continue;
        auto pepper = read_secret_file(text_of(files.at(i).member("path")), SecretEncoding::kText);
        if (!pepper) return fail(pepper.error());
        store.peppers.push_back(std::make_shared<const Secret>(*std::move(pepper)));
    }
    return store;
}

std::optional<std::string> key_file_of(Value block) {
    const Value files = block.member("files");
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files.at(i).member("kind").string() == "keys")
            return text_of(files.at(i).member("path"));
    }
    return std::nullopt;
}

}  // namespace gate::ctl
