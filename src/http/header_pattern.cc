#include "http/header_pattern.h"

#include <string>

namespace gate::http {

std::optional<HeaderPattern> HeaderPattern::of(std::string_view lowcase,
                                               std::string_view scheme) noexcept {
    if (lowcase.size() < kMinName || lowcase.size() > kMaxName || scheme.size() > kMaxScheme) {
        return std::nullopt;
    }
    HeaderPattern pattern;
    pattern.name_ = ends_of(lowcase.data(), lowcase.size());
    pattern.name_size_ = static_cast<std::uint8_t>(lowcase.size());
    if (scheme.empty()) return pattern;
    const std::string prefix = std::string(scheme) + ' ';
    const std::string mask(prefix.size(), '\xff');
    std::memcpy(&pattern.prefix_, prefix.data(), prefix.size());
    std::memcpy(&pattern.prefix_mask_, mask.data(), mask.size());
    pattern.prefix_size_ = static_cast<std::uint8_t>(prefix.size());
    return pattern;
}

}  // namespace gate::http
