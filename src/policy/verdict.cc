#include "policy/verdict.h"

namespace gate::policy {

namespace {

constexpr std::uint64_t kHasExpires = 1;
constexpr std::uint64_t kNeedsPayload = 2;

std::uint64_t join(std::uint32_t high, std::uint32_t low) noexcept {
    return std::uint64_t{high} << 32 | low;
}

std::uint32_t high_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32);
}

std::uint32_t low_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & 0xffffffff);
}

std::uint32_t pack(Stretch stretch) noexcept {
    return std::uint32_t{stretch.offset} << 16 | stretch.size;
}

Stretch stretch_of(std::uint32_t half) noexcept {
    return {static_cast<std::uint16_t>(half >> 16), static_cast<std::uint16_t>(half & 0xffff)};
}

}  // namespace

VerdictWords pack(const Verdict& verdict) noexcept {
    const std::uint64_t flags =
        (verdict.has_expires ? kHasExpires : 0) | (verdict.needs_payload ? kNeedsPayload : 0);
    return {verdict.epoch,
            join(verdict.valid_from, verdict.valid_until),
            join(verdict.expires, verdict.issued),
            verdict.clean_at,
            verdict.revocations[0],
            verdict.revocations[1],
            verdict.revocations[2],
            verdict.revocations[3],
            join(pack(verdict.subject), pack(verdict.client)),
            join(pack(verdict.scopes), pack(verdict.roles)),
            join(pack(verdict.groups), 0),
            flags};
}

Verdict unpack(const VerdictWords& words) noexcept {
    Verdict verdict;
    verdict.epoch = words[0];
    verdict.valid_from = high_of(words[1]);
    verdict.valid_until = low_of(words[1]);
    verdict.expires = high_of(words[2]);
    verdict.issued = low_of(words[2]);
    verdict.clean_at = words[kCleanAtWord];
    verdict.revocations = {words[4], words[5], words[6], words[7]};
    verdict.subject = stretch_of(high_of(words[8]));
    verdict.client = stretch_of(low_of(words[8]));
    verdict.scopes = stretch_of(high_of(words[9]));
    verdict.roles = stretch_of(low_of(words[9]));
    verdict.groups = stretch_of(high_of(words[10]));
    verdict.has_expires = (words[11] & kHasExpires) != 0;
    verdict.needs_payload = (words[11] & kNeedsPayload) != 0;
    return verdict;
}

}  // namespace gate::policy
