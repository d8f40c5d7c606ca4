// What the tests of verdicts share: one issuer whose tokens an HMAC signs, verified without a zone
// or remembered in one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "policy/epoch.h"
#include "policy/recall.h"
#include "tests/support/test_zone.h"

namespace gate::policy {

inline constexpr Seconds kNow = 1700000000;
inline const std::string kSecret = "a secret of the recall tests, 40 octets.";

inline std::string compact(const std::string& payload) {
    const std::string input = base64url_encode(bytes_of(R"({"alg":"HS256"})")) + "." +
                              base64url_encode(bytes_of(payload));
    return input + "." + base64url_encode(crypto::hmac_sha256(bytes_of(kSecret), bytes_of(input)));
}

inline std::shared_ptr<const jose::KeySet> secret_keys() {
    auto set = std::make_shared<jose::KeySet>();
    EXPECT_TRUE(set->add_secret(bytes_of(kSecret), "", {}));
    return set;
}

// A parsed token, whose claims hold views of it.
struct Parsed {
    explicit Parsed(const std::string& payload) : text(compact(payload)) {
        auto taken = jose::parse_token(text);
        EXPECT_TRUE(taken);
        if (taken) token = *std::move(taken);
        auto parsed = jose::Document::parse(text_of(token.payload));
        EXPECT_TRUE(parsed) << payload;
        if (parsed) document = *std::move(parsed);
    }
    Parsed(const Parsed&) = delete;
    Parsed& operator=(const Parsed&) = delete;

    std::string text;
    jose::Token token;
    jose::Document document;
};

inline jose::Issuer test_issuer(std::optional<std::string> iss = "https://idp") {
    jose::Issuer issuer;
    issuer.name = "corp";
    issuer.iss = std::move(iss);
    issuer.algorithms = {crypto::Alg::kHS256};
    issuer.audience_off = true;
    return issuer;
}

// One zone and one issuer, as a worker has them.
class RecallBench {
public:
    explicit RecallBench(jose::Issuer rules = test_issuer()) : issuer(std::move(rules)) {
        renew("first keys");
    }

    void renew(std::string_view keys) {
        trusted.issuer = &issuer;
        trusted.keys = secret_keys();
        trusted.epoch = epoch_of(issuer, keys);
    }

    cache::Fingerprint fingerprint_of(const std::string& text) {
        return cache::fingerprint(zone->fingerprint_key(), text);
    }

    // Verification without a zone: "" or the code of the refusal.
    std::string verify(const Parsed& token, Seconds now = kNow) {
        const auto claims =
            jose::verify_jwt(token.token, token.document, issuer, *trusted.keys, now);
        return std::string(claims ? "" : code(claims.error()));
    }

    // Verifies and keeps it: "" or the code of the refusal.
    std::string keep(const Parsed& token, Seconds now = kNow) {
        const auto claims =
            jose::verify_jwt(token.token, token.document, issuer, *trusted.keys, now);
        if (!claims) return std::string(code(claims.error()));
        const auto kept = remember(*zone, fingerprint_of(token.text), token.text,
                                   text_of(token.token.payload), *claims, trusted, now);
        return std::string(kept ? "" : code(kept.error()));
    }

    // What the zone says of a text to a location that accepts these issuers.
    std::optional<Reason> recall_text(const std::string& text,
                                      std::span<const TrustedIssuer* const> issuers,
                                      Recalled& found, Seconds now = kNow) {
        const cache::Fingerprint fingerprint = fingerprint_of(text);
        if (!zone->verdicts.find(fingerprint, saturated(now), found.words)) return std::nullopt;
        return recall(*zone, fingerprint, text, issuers, now, found);
    }

    std::optional<Result<Recalled, Reason>> find(const Parsed& token, Seconds now = kNow) {
        const TrustedIssuer* const issuers[] = {&trusted};
        Recalled found;
        const auto known = recall_text(token.text, issuers, found, now);
        if (!known) return std::nullopt;
        if (*known != Reason::kNone) return fail(*known);
        return found;
    }

    // "hit", "miss", or the code of the refusal.
    std::string look(const Parsed& token, Seconds now = kNow) {
        const auto found = find(token, now);
        if (!found) return "miss";
        return *found ? "hit" : std::string(code(found->error()));
    }

    void revoke(cache::RevocationKind kind, std::string_view iss, std::string_view value,
                std::uint32_t issued_until = cache::kEveryInstant,
                std::uint32_t expires = cache::kNeverForgotten) {
        zone->revocations.put(
            {cache::digest_revocation(zone->seed(), kind, iss, value), issued_until, expires},
            static_cast<std::uint32_t>(kNow));
    }

    test::TestZone zone;
    jose::Issuer issuer;
    TrustedIssuer trusted;
};

}  // namespace gate::policy
