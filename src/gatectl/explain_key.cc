
#include "gatectl/check_list.h"
#include "gatectl/explain.h"

namespace gate::ctl {

namespace {

using apikey::Record;

std::size_t position_of(Reason reason) {
    switch (reason) {
        case Reason::kTokTooLong:
        case Reason::kKeyMalformed:
        case Reason::kKeyChecksum:
            return 0;
        case Reason::kKeyUnknown:
        case Reason::kRecordBad:
            return 1;
        case Reason::kKeySuspended:
        case Reason::kKeyRevoked:
            return 2;
        case Reason::kKeyNotYet:
        case Reason::kKeyExpired:
            return 3;
        case Reason::kKeyAddress:
            return 4;
        default:
            return 5;
    }
}

// Runs the engine with the source in the place of its store.
struct Judged {
    Reason reason = Reason::kInternal;
    std::shared_ptr<const Record> record;
};

Judged judge(std::string_view key, const policy::KeyStore& store, const KeySource& source,
             std::optional<Bytes> address, Seconds now) {
    const policy::KeyStore* const stores[] = {&store};
    policy::Request request;
    request.credential = {policy::CredentialKind::kKey, key};
    request.stores = stores;
    request.client_address = address.value_or(Bytes());
    request.now = now;
    policy::Authentication authentication(request);
    policy::Outcome outcome = authentication.start();
    Judged judged;
    while (const auto* need = std::get_if<policy::Need>(&outcome)) {
        judged.record = source.find(need->digest);
        policy::Answer answer;
        if (judged.record != nullptr) {
            auto copy = std::make_shared<Record>(*judged.record);
            if (!address) copy->networks.clear();
            answer.record = std::move(copy);
        }
        outcome = authentication.resume(answer);
    }
    if (const auto* deny = std::get_if<policy::Deny>(&outcome)) judged.reason = deny->reason;
    if (std::holds_alternative<policy::VerifiedKey>(outcome)) judged.reason = Reason::kNone;
    return judged;
}

std::string shape_detail(std::string_view key, const policy::KeyStore& store) {
    const std::string prefix =
        store.format.prefix.empty() ? "no prefix" : "prefix " + store.format.prefix;
    return prefix + (store.format.checksum ? ", checksum" : ", no checksum") + "; " +
           std::to_string(key.size()) + " octets";
}

std::string lookup_detail(const policy::KeyStore& store, const KeySource& source,
                          const Record* record) {
    std::string text = record != nullptr ? "key " + record->id + " among " : "none of ";
    text += source.name;
    if (store.digest == apikey::DigestKind::kHmacSha256) {
        text += ", " + std::to_string(store.peppers.size()) + " peppers";
    }
    return text;
}

std::string times_detail(const Record& record) {
    const auto when = [](std::optional<Seconds> instant) {
        return instant ? rfc3339(*instant) : std::string("any time");
    };
    return "from " + when(record.not_before) + " to " + when(record.expires);
}

}  // namespace

Explanation explain_key(std::string_view key, const policy::KeyStore& store,
                        const KeySource& source, std::optional<Bytes> address, Seconds now) {
    const Judged judged = judge(key, store, source, address, now);
    Explanation explanation;
    explanation.reason = judged.reason;
    CheckList checks(explanation);
    const std::size_t end = judged.reason == Reason::kNone ? 6 : position_of(judged.reason);
    const Record none;
    const Record& record = judged.record != nullptr ? *judged.record : none;
    const std::pair<std::string_view, std::string> rows[] = {
        {"shape", shape_detail(key, store)},
        {"lookup", lookup_detail(store, source, judged.record.get())},
        {"status", std::string(name_of(record.status))},
        {"times", times_detail(record)},
        {"address", record.networks.empty() ? "any address is good"
                                            : std::to_string(record.networks.size()) + " networks"},
        {"identity", std::to_string(record.scopes.size()) + " scopes, " +
                         std::to_string(record.roles.size()) + " roles"}};
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        const auto& [name, detail] = rows[i];
        if (i == end) {
            checks.failed(name, judged.reason, detail);
        } else if (name == "address" && !record.networks.empty() && !address) {
            checks.not_judged(name, detail + "; give --address");
        } else {
            checks.passed(name, detail);
        }
    }
    return explanation;
}

}  // namespace gate::ctl
