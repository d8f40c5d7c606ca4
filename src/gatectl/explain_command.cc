// gatectl explain.
#include <array>
#include <memory>

#include "apikey/key_table.h"
#include "base/json_text.h"
#include "gatectl/configuration.h"
#include "gatectl/explain.h"
#include "gatectl/files.h"
#include "gatectl/input.h"
#include "gatectl/output.h"
#include "gatectl/redis_keys.h"
#include "gatectl/redis_options.h"

namespace gate::ctl {

namespace {

Result<Explanation, std::string> explain_for_issuer(jose::Value dump, const std::string& name,
                                                    std::string_view token, Seconds now) {
    const auto block = find_block(dump.member("issuers"), "issuer", name);
    if (!block) return fail(block.error());
    const jose::Issuer issuer = issuer_from(*block);
    auto keys = keys_of_issuer(*block, issuer);
    if (!keys) return fail(keys.error());
    policy::TrustedIssuer trusted;
    trusted.issuer = &issuer;
    trusted.keys = std::make_shared<const jose::KeySet>(*std::move(keys));
    return explain_token(token, trusted, now);
}

// What a store in Redis has, as the command line names it. `problem` is set when it cannot be told.
Result<KeySource, std::string> redis_source(const Arguments& arguments, const std::string& name,
                                            std::optional<std::string>& problem) {
    const auto options = redis_options(arguments, false);
    if (!options) return fail(options.error());
    if (!*options) {
        return fail("the keys of " + json_string(name) +
                    " are in Redis: name it by --redis ADDRESS, as for gatectl key");
    }
    return KeySource{[store = std::make_shared<RedisKeyStore>(**options),
                      &problem](const crypto::Digest256& digest) -> RecordPtr {
                         const std::string digests[] = {to_hex(digest)};
                         auto found = store->find_digest(digests);
                         if (!found) problem = found.error();
                         return found ? *found : nullptr;
                     },
                     "those in Redis"};
}

Result<KeySource, std::string> file_source(const std::string& path) {
    const auto text = read_file(path, kMaxKeyFile);
    if (!text) return fail(text.error());
    auto table = apikey::KeyTable::parse(*text);
    if (!table) return fail(path + ": " + table.error());
    std::string name = std::to_string(table->records().size()) + " records";
    return KeySource{[table = std::make_shared<apikey::KeyTable>(*std::move(table))](
                         const crypto::Digest256& digest) { return table->find(digest); },
                     std::move(name)};
}

Result<Explanation, std::string> explain_for_store(jose::Value dump, const Arguments& arguments,
                                                   std::string_view key,
                                                   const std::optional<ByteVector>& address,
                                                   Seconds now) {
    const std::string name = arguments.value("store").value_or("");
    const auto block = find_block(dump.member("stores"), "key store", name);
    if (!block) return fail(block.error());
    const auto store = store_from(*block);
    if (!store) return fail(store.error());
    const auto path = key_file_of(*block);
    std::optional<std::string> problem;
    const auto source = path ? file_source(*path) : redis_source(arguments, name, problem);
    if (!source) return fail(source.error());
    const std::optional<Bytes> client = address ? std::optional<Bytes>(*address) : std::nullopt;
    Explanation explanation = explain_key(key, *store, *source, client, now);
    if (problem) return fail(*problem);
    return explanation;
}

void print_json(std::ostream& out, const Explanation& explanation) {
    std::vector<std::string> checks;
    for (const Check& check : explanation.checks) {
        JsonObject object;
        object.text("check", check.name).text("outcome", name_of(check.outcome));
        checks.push_back(object.text("detail", check.detail).str());
    }
    std::vector<std::string> claims;
    for (const ClaimShape& claim : explanation.claims) {
        JsonObject object;
        object.text("name", claim.name).text("type", claim.type);
        object.number("length", static_cast<std::int64_t>(claim.length));
        claims.push_back(object.str());
    }
    const bool accepted = explanation.reason == Reason::kNone;
    JsonObject object;
    object.text("verdict", accepted ? "accept" : "reject").text("reason", code(explanation.reason));
    object.raw("checks", json_array(checks)).raw("claims", json_array(claims));
    out << object.str() << '\n';
}

std::string shape_text(const ClaimShape& claim) {
    const std::string count = std::to_string(claim.length);
    if (claim.type == "string") return "string of " + count + " octets";
    if (claim.type == "array") return "array of " + count + " elements";
    if (claim.type == "object") return "object of " + count + " members";
    return claim.type;
}

void print_text(std::ostream& out, const Explanation& explanation) {
    Table checks({"CHECK", "OUTCOME", "DETAIL"});
    for (const Check& check : explanation.checks) {
        checks.add({check.name, std::string(name_of(check.outcome)), check.detail});
    }
    out << checks.str();
    if (!explanation.claims.empty()) {
        Table claims({"CLAIM", "TYPE"});
        for (const ClaimShape& claim : explanation.claims) {
            claims.add({claim.name, shape_text(claim)});
        }
        out << '\n' << claims.str();
    }
    const bool accepted = explanation.reason == Reason::kNone;
    out << "\nverdict  "
        << (accepted ? "accept" : "reject " + std::string(code(explanation.reason))) << '\n';
}

int run_explain(const Arguments& arguments, Io& io) {
    const auto issuer = arguments.value("issuer");
    const auto store = arguments.value("store");
    if (issuer.has_value() == store.has_value()) {
        return misuse(io, "give either --issuer or --store");
    }
    const auto address = parse_address_option(arguments);
    if (!address) return misuse(io, address.error());
    const auto dump = read_configuration(arguments);
    if (!dump) return refuse(io, dump.error());
    const Secret credential = read_credential(io.in);
    if (credential.empty()) return misuse(io, "nothing on standard input");
    const auto explanation =
        issuer ? explain_for_issuer(dump->root(), *issuer, credential.text(), io.now)
               : explain_for_store(dump->root(), arguments, credential.text(), *address, io.now);
    if (!explanation) return refuse(io, explanation.error());
    if (arguments.has("json")) {
        print_json(io.out, *explanation);
    } else {
        print_text(io.out, *explanation);
    }
    return explanation->reason == Reason::kNone ? kDone : kRefused;
}

constexpr std::array kOptions{
    Option{"issuer", "NAME", "judge a token by that gate_issuer block"},
    Option{"store", "NAME", "judge an API key by that gate_keys block"},
    Option{"address", "IP", "the client's address, for keys bound to networks"},
    kConfOption,
    kPrefixOption,
    kNginxOption,
    Option{"json", "", "print JSON"}};

constexpr std::array<Command, 1> kCommands{{
    {"explain", "", "Show every check of a token or key, and why it is refused",
     "The credential is read from standard input and judged as the configuration says (nginx -t\n"
     "tells it). Values of claims are not shown. Size limits and requirements differ by location\n"
     "and are not judged. A store in Redis is asked where --redis says. Exit status 0: accepted,\n"
     "1: refused.",
     kOptions, 0, 0, run_explain, kRedisViewOptions},
}};

}  // namespace

std::span<const Command> explain_commands() {
    return kCommands;
}

}  // namespace gate::ctl
