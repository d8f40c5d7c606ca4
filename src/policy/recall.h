// Verdicts in shared memory: a token that any worker has verified is known by its fingerprint, and
// its identity is read again from the text that the client sent. And whether a good credential has
// been revoked since.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "apikey/record.h"
#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "cache/zone.h"
#include "crypto/digest.h"
#include "jose/issuer.h"
#include "jose/jwt.h"
#include "jose/key_set.h"
#include "policy/recent_verdicts.h"
#include "policy/roles.h"
#include "policy/token_principal.h"
#include "policy/verdict.h"

namespace gate::policy {

// An issuer with what is loaded for it now. `keys` nullptr: never loaded.
struct alignas(64) TrustedIssuer {
    const jose::Issuer* issuer = nullptr;
    std::shared_ptr<const jose::KeySet> keys;
    std::shared_ptr<const RoleMap> roles;
    std::uint64_t epoch = 0;  // see epoch_of(); 0: its verdicts are not kept
};

// The issuer of these whose verdict this is, as it is now, if it is good at this second; else
// nullptr.
inline const TrustedIssuer* trusted_by(const VerdictWords& words,
                                       std::span<const TrustedIssuer* const> issuers,
                                       std::uint32_t now) noexcept {
    if (now < valid_from(words) || now >= valid_until(words)) return nullptr;
    for (const TrustedIssuer* trusted : issuers) {
        if (trusted->epoch == epoch_of(words) && trusted->epoch != 0 && trusted->keys) {
            return trusted;
        }
    }
    return nullptr;
}

// A token that was verified before, whose verdict was read into found.words: fills in `found` and
// gives kNone, or kRevoked where it has been revoked since. nullopt: not yet or no longer good, or
// of none of these issuers as they are now.
std::optional<Reason> recall(cache::Zone& zone, const cache::Fingerprint& fingerprint,
                             std::string_view token, std::span<const TrustedIssuer* const> issuers,
                             Seconds now, Recalled& found);

// Whether recall() would give kNone for a token that it gave kNone in this very second, with
// nothing revoked since; fills in `found` then. False: it has to be asked.
[[gnu::always_inline]] inline bool recall_again(const cache::Zone& zone,
                                                const RecentVerdicts& recent,
                                                std::string_view token,
                                                std::span<const TrustedIssuer* const> issuers,
                                                Seconds now, Recalled& found) {
    const RecentVerdicts::Entry* const entry = recent.find(token);
    const std::uint32_t clock = saturated(now);
    if (entry == nullptr || entry->read_at != clock) return false;
    if (entry->words[kCleanAtWord] != zone.revocations.changes()) return false;
    const TrustedIssuer* const trusted = trusted_by(entry->words, issuers, clock);
    if (trusted == nullptr) return false;
    found.token = token;
    found.issuer = trusted->issuer;
    if (found.roles != trusted->roles) found.roles = trusted->roles;  // rarely any
    found.identity = entry->identity;
    return true;
}

// Keeps what verification found about a token, unless the zone's lock is taken. kRevoked: the token
// is good but revoked. `payload` is the decoded payload.
Status<Reason> remember(cache::Zone& zone, const cache::Fingerprint& fingerprint,
                        std::string_view token, std::string_view payload,
                        const jose::Claims& claims, const TrustedIssuer& issuer, Seconds now);

// What revokes a token that is good but for that: nothing, itself alone (by jti or its signing
// input), or more than itself (its session, subject, client or issuer).
enum class Revoked : std::uint8_t { kNo, kItself, kMore };
Revoked revoked_by(const cache::Zone& zone, std::string_view token, const jose::Claims& claims,
                   Seconds now);

// The digest of an API key that was found in a store before, from the words kept for the key;
// `epoch` is the store's.
std::optional<crypto::Digest256> recall_digest(const VerdictWords& words, std::uint64_t epoch);
// The record of a key that was found good in this very second, unless the state of its store or
// what is revoked has changed since; nullptr: it has to be looked up and judged.
inline const LocalPtr<SharedRecord>* recall_key_again(const cache::Zone& zone,
                                                      const RecentVerdicts& recent,
                                                      std::string_view key,
                                                      std::uint64_t store_state, Seconds now) {
    const RecentVerdicts::Entry* const entry = recent.find(key);
    if (entry == nullptr || entry->key.store_state != store_state || store_state == 0 ||
        entry->key.at != saturated(now) || entry->key.clean_at != zone.revocations.changes()) {
        return nullptr;
    }
    return &entry->key.shared;
}
void remember_digest(cache::Zone& zone, const cache::Fingerprint& fingerprint, std::uint64_t epoch,
                     const crypto::Digest256& digest, Seconds now);

// kRevoked by its id, its owner, its store, or a mark on everybody; `store` is the block's name.
Status<Reason> check_revocation(const cache::Zone& zone, const apikey::Record& record,
                                std::string_view store, Seconds now);

}  // namespace gate::policy
