#include "policy/recall.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "base/base64url.h"
#include "base/bytes.h"
#include "crypto/digest.h"

namespace gate::policy {

namespace {

using cache::RevocationDigest;
using cache::RevocationKind;
using cache::Revocations;

// Where a key's digest stands in the slot; the first word is the epoch, as a token's.
constexpr std::size_t kDigestWord = 4;

constexpr std::uint32_t kEnd = std::numeric_limits<std::uint32_t>::max();

// Marks on everything of one issuer (or store), and on everything.
bool is_marked(const cache::Zone& zone, std::string_view issuer, std::uint32_t issued,
               std::uint32_t now) noexcept {
    const Revocations& set = zone.revocations;
    return set.revoked(digest_revocation(zone.seed(), RevocationKind::kAll, issuer, ""), issued,
                       now) ||
           set.revoked(digest_revocation(zone.seed(), RevocationKind::kAll, "*", ""), issued, now);
}

// What could revoke a token, in the order of Verdict::revocations. The token without jti goes by
// the digest of its signing input.
std::array<RevocationDigest, 4> digests_of(const cache::Zone& zone, std::string_view token,
                                           const jose::Claims& claims) {
    const auto digest = [&](RevocationKind kind, std::string_view value) {
        if (value.empty()) return RevocationDigest{};
        return digest_revocation(zone.seed(), kind, claims.issuer, value);
    };
    const bool named = !claims.jti.empty();
    const std::string input =
        named ? std::string() : to_hex(crypto::sha256(bytes_of(token.substr(0, token.rfind('.')))));
    return {
        named ? digest(RevocationKind::kJti, claims.jti) : digest(RevocationKind::kToken, input),
        digest(RevocationKind::kSubject, claims.subject),
        digest(RevocationKind::kSession, claims.session),
        digest(RevocationKind::kClient, claims.client)};
}

bool is_revoked(const cache::Zone& zone, const std::array<RevocationDigest, 4>& digests,
                std::string_view issuer, std::uint32_t issued, std::uint32_t now) noexcept {
    if (zone.revocations.size() == 0) return false;
    const auto dead = [&](const RevocationDigest& digest) {
        return digest.high != 0 && zone.revocations.revoked(digest, issued, now);
    };
    return std::ranges::any_of(digests, dead) || is_marked(zone, issuer, issued, now);
}

// The slot has half of each digest: enough to say no.
bool may_be_revoked(const cache::Zone& zone, const Recalled& token, std::uint32_t now) noexcept {
    const Verdict verdict = unpack(token.words);
    const auto hit = [&](std::uint64_t high) {
        return high != 0 && zone.revocations.may_hold(high, verdict.issued, now);
    };
    const std::string_view issuer = token.issuer->iss ? *token.issuer->iss : std::string_view();
    return std::ranges::any_of(verdict.revocations, hit) ||
           is_marked(zone, issuer, verdict.issued, now);
}

// A closer look: the whole digests, from the payload. What cannot be read is not let in.
bool is_revoked(const cache::Zone& zone, const Recalled& token, std::uint32_t now) {
    const auto text = base64url_decode(encoded_payload(token.token));
    if (!text) return true;
    const auto payload = jose::Document::parse(text_of(*text));
    if (!payload) return true;
    const auto claims = jose::read_claims(*payload, *token.issuer);
    if (!claims) return true;
    return is_revoked(zone, digests_of(zone, token.token, *claims), claims->issuer,
                      unpack(token.words).issued, now);
}

}  // namespace

std::optional<Reason> recall(cache::Zone& zone, const cache::Fingerprint& fingerprint,
                             std::string_view token, std::span<const TrustedIssuer* const> issuers,
                             Seconds now, Recalled& found) {
    const std::uint32_t clock = saturated(now);
    const TrustedIssuer* const trusted = trusted_by(found.words, issuers, clock);
    if (trusted == nullptr) return std::nullopt;
    found.token = token;
    found.issuer = trusted->issuer;
    found.roles = trusted->roles;

    // Before the look, so that a revocation that comes while we look is looked for next time.
    const std::uint64_t changes = zone.revocations.changes();
    if (changes == found.words[kCleanAtWord]) return Reason::kNone;
    if (may_be_revoked(zone, found, clock)) {
        return is_revoked(zone, found, clock) ? Reason::kRevoked : Reason::kNone;
    }
    if (const auto writer = zone.try_write()) {
        // Another issuer's verdict may have come in between: that one was not looked at.
        VerdictWords present;
        if (zone.verdicts.find(fingerprint, clock, present) && present == found.words) {
            zone.verdicts.update(fingerprint, kCleanAtWord, changes);
        }
    }
    found.words[kCleanAtWord] = changes;
    return Reason::kNone;
}

Status<Reason> remember(cache::Zone& zone, const cache::Fingerprint& fingerprint,
                        std::string_view token, std::string_view payload,
                        const jose::Claims& claims, const TrustedIssuer& issuer, Seconds now) {
    const std::uint32_t clock = saturated(now);
    Verdict verdict;
    verdict.epoch = issuer.epoch;
    verdict.valid_from = saturated(claims.valid_from);
    verdict.valid_until = saturated(claims.valid_until.value_or(kEnd));
    verdict.issued = saturated(claims.issued.value_or(0));
    verdict.has_expires = claims.expires.has_value();
    verdict.expires = saturated(claims.expires.value_or(0));
    verdict.needs_payload = verdict.has_expires && *claims.expires > Seconds{kEnd};

    verdict.clean_at = zone.revocations.changes();
    const auto digests = digests_of(zone, token, claims);
    for (std::size_t i = 0; i < digests.size(); ++i) verdict.revocations[i] = digests[i].high;
    const bool revoked = is_revoked(zone, digests, claims.issuer, verdict.issued, clock);
    // Never equal to the zone's: each hit will look again.
    if (revoked) verdict.clean_at = std::numeric_limits<std::uint64_t>::max();
    if (verdict.epoch != 0) {
        note_identity(verdict, token, payload, claims, *issuer.issuer);
        if (const auto writer = zone.try_write()) {
            zone.verdicts.insert(fingerprint, clock, verdict.valid_until, pack(verdict));
        }
    }
    if (revoked) return fail(Reason::kRevoked);
    return Done{};
}

Revoked revoked_by(const cache::Zone& zone, std::string_view token, const jose::Claims& claims,
                   Seconds now) {
    auto digests = digests_of(zone, token, claims);
    const std::uint32_t issued = saturated(claims.issued.value_or(0));
    const RevocationDigest itself = std::exchange(digests[0], RevocationDigest{});
    if (is_revoked(zone, digests, claims.issuer, issued, saturated(now))) return Revoked::kMore;
    const bool dead = zone.revocations.revoked(itself, issued, saturated(now));
    return dead ? Revoked::kItself : Revoked::kNo;
}

std::optional<crypto::Digest256> recall_digest(const VerdictWords& words, std::uint64_t epoch) {
    if (epoch == 0 || words[0] != epoch) return std::nullopt;
    crypto::Digest256 digest;
    std::memcpy(digest.data(), &words[kDigestWord], digest.size());
    return digest;
}

void remember_digest(cache::Zone& zone, const cache::Fingerprint& fingerprint, std::uint64_t epoch,
                     const crypto::Digest256& digest, Seconds now) {
    VerdictWords words{epoch};
    std::memcpy(&words[kDigestWord], digest.data(), digest.size());
    if (const auto writer = zone.try_write()) {
        zone.verdicts.insert(fingerprint, saturated(now), kEnd, words);
    }
}

[[gnu::hot]] Status<Reason> check_revocation(const cache::Zone& zone, const apikey::Record& record,
                                             std::string_view store, Seconds now) {
    const Revocations& set = zone.revocations;
    const std::uint64_t changes = set.changes();
    if (changes == record.clean_at || set.size() == 0) return Done{};
    const std::uint32_t clock = saturated(now);
    const std::uint32_t issued = saturated(record.created);
    const auto dead = [&](RevocationKind kind, std::string_view value) {
        return !value.empty() &&
               set.revoked(digest_revocation(zone.seed(), kind, store, value), issued, clock);
    };
    if (dead(RevocationKind::kKey, record.id) || dead(RevocationKind::kSubject, record.owner) ||
        is_marked(zone, store, issued, clock)) {
        return fail(Reason::kRevoked);
    }
    record.clean_at = changes;
    return Done{};
}

}  // namespace gate::policy
