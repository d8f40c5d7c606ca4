// gatectl revoke: the commands and their options.
#include "gatectl/revoke.h"

#include <array>

#include "base/json_object.h"
#include "gatectl/redis_options.h"

namespace gate::ctl {

using cache::JournalEntry;
using cache::RevocationKind;

std::string issued_until_text(const JournalEntry& entry) {
    if (entry.issued_until == cache::kEveryInstant) return "whenever";
    return rfc3339(entry.issued_until);
}

std::string expires_text(const JournalEntry& entry) {
    if (entry.expires == cache::kNeverForgotten) return "never";
    return rfc3339(entry.expires);
}

std::string journal_json(const JournalEntry& entry, bool written) {
    JsonObject object;
    if (written) object.text("written", rfc3339(entry.written));
    object.text("kind", name_of(entry.kind));
    object.text(entry.kind == RevocationKind::kKey ? "store" : "issuer", entry.issuer);
    if (entry.kind != RevocationKind::kAll) object.text("value", entry.value);
    if (entry.issued_until == cache::kEveryInstant) {
        object.raw("issued_until", "null");
    } else {
        object.text("issued_until", rfc3339(entry.issued_until));
    }
    if (entry.expires == cache::kNeverForgotten) return object.raw("expires", "null").str();
    return object.text("expires", rfc3339(entry.expires)).str();
}

namespace {

constexpr Option kFile{"file", "PATH",
                       "the journal that gate_revocation names; created if missing"};
constexpr Option kJournal{"file", "PATH", "the journal that gate_revocation names"};
constexpr Option kIssuer{"issuer", "ISS", "the token's exact iss; \"\" for tokens without one"};
constexpr Option kExpires{"expires", "WHEN",
                          "forget it then: 90d from now, or 2030-01-31T00:00:00Z"};
constexpr Option kTtl{"ttl", "TIME", "forget it after this time, such as 24h"};
constexpr Option kUntil{"issued-until", "WHEN",
                        "kill what was issued up to then (now); \"never\": whenever it was issued"};
constexpr Option kJson{"json", "", "print JSON"};

constexpr std::array kTokenIdOptions{kFile, kIssuer, kExpires, kTtl, kJson};
constexpr std::array kMarkOptions{kFile, kIssuer, kUntil, kExpires, kTtl, kJson};
constexpr std::array kKeyOptions{kFile, Option{"store", "NAME", "the name of its gate_keys block"},
                                 kExpires, kTtl, kJson};
constexpr std::array kAllOptions{
    kFile,
    Option{"issuer", "ISS", "the exact iss, or \"*\" for everybody (*)"},
    Option{"store", "NAME", "the API keys of this gate_keys block instead"},
    kUntil,
    kExpires,
    kTtl,
    kJson};
constexpr std::array kTokenOptions{
    kFile, Option{"token-file", "FILE", "the token; - is standard input"}, kJson};
constexpr std::array kJournalOptions{kJournal, kJson};

constexpr std::string_view kForget =
    "Without --expires or --ttl it is kept for ever. What it kills may be good until its exp and\n"
    "300 seconds of leeway: forget it then and not before.";

constexpr std::string_view kToken =
    "Takes iss, jti and exp from the token, without verifying it. A token without jti goes by the\n"
    "digest of its text. It is forgotten 300 seconds, the largest leeway, after its exp.";

constexpr std::array<Command, 10> kCommands{{
    {"revoke jti", "JTI", "Revoke the token with this id", kForget, kTokenIdOptions, 1, 1,
     run_revoke_jti, kRedisChangeOptions},
    {"revoke sub", "SUBJECT", "Revoke the tokens of a subject issued until now", kForget,
     kMarkOptions, 1, 1, run_revoke_subject, kRedisChangeOptions},
    {"revoke sid", "SESSION", "Revoke the tokens of a session issued until now", kForget,
     kMarkOptions, 1, 1, run_revoke_session, kRedisChangeOptions},
    {"revoke client", "CLIENT", "Revoke the tokens of a client issued until now", kForget,
     kMarkOptions, 1, 1, run_revoke_client, kRedisChangeOptions},
    {"revoke key", "ID", "Revoke the API key with this id, whatever its store says", kForget,
     kKeyOptions, 1, 1, run_revoke_key, kRedisChangeOptions},
    {"revoke all", "", "Revoke everything that was issued until now", kForget, kAllOptions, 0, 0,
     run_revoke_all, kRedisChangeOptions},
    {"revoke token", "", "Revoke a token that is at hand", kToken, kTokenOptions, 0, 0,
     run_revoke_token, kRedisChangeOptions},
    {"revoke list", "", "List what is revoked", "", kJournalOptions, 0, 0, run_revoke_list,
     kRedisViewOptions},
    {"revoke compact", "", "Leave out what is expired, in a journal also what others cover", "",
     kJournalOptions, 0, 0, run_revoke_compact, kRedisChangeOptions},
    {"revoke check", "", "Look for damage in the journal or store",
     "Exit status 1 where nginx would refuse the file, or not know what is revoked in the store.",
     kJournalOptions, 0, 0, run_revoke_check, kRedisViewOptions},
}};

}  // namespace

std::span<const Command> revoke_commands() {
    return kCommands;
}

}  // namespace gate::ctl
