// What verification found about one token, small enough for a slot of shared memory: when it
// counts, what could revoke it, and where its identity stands in the token's own text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gate::policy {

// A stretch of the decoded payload; size 0: none.
struct Stretch {
    std::uint16_t offset = 0;
    std::uint16_t size = 0;
    bool operator==(const Stretch&) const = default;
};

// Instants are seconds since the epoch, saturated at the ends of 32 bits on the side that refuses.
struct Verdict {
    std::uint64_t epoch = 0;        // of the issuer: its rules and keys, see TrustedIssuer
    std::uint32_t valid_from = 0;   // good from this second on ..
    std::uint32_t valid_until = 0;  // .. until the one before this
    std::uint32_t expires = 0;      // exp rounded down, where has_expires
    std::uint32_t issued = 0;       // iat rounded down; 0: none
    bool has_expires = false;
    // The stretches cannot say it all: the payload has to be parsed.
    bool needs_payload = false;
    // Revocations::changes() when none of `revocations` was in the set.
    std::uint64_t clean_at = 0;
    // RevocationDigest::high of jti (or signing input), subject, session and client; 0: none.
    std::array<std::uint64_t, 4> revocations{};
    Stretch subject, client, scopes, roles, groups;
    bool operator==(const Verdict&) const = default;
};

using VerdictWords = std::array<std::uint64_t, 12>;
inline constexpr std::size_t kCleanAtWord = 3;  // where clean_at stands among them

// Of packed verdicts, for those who need no more of one.
inline std::uint64_t epoch_of(const VerdictWords& words) noexcept {
    return words[0];
}
inline std::uint32_t valid_from(const VerdictWords& words) noexcept {
    return static_cast<std::uint32_t>(words[1] >> 32);
}
inline std::uint32_t valid_until(const VerdictWords& words) noexcept {
    return static_cast<std::uint32_t>(words[1]);
}

VerdictWords pack(const Verdict& verdict) noexcept;
Verdict unpack(const VerdictWords& words) noexcept;

}  // namespace gate::policy
