// A header's name and the scheme of its value as a few octets, to find the one header that holds a
// credential among those of a request without a look anywhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace gate::http {

class HeaderPattern {
public:
    static constexpr std::size_t kMinName = 8;
    static constexpr std::size_t kMaxName = 16;
    static constexpr std::size_t kMaxScheme = 7;

    // Matches nothing.
    HeaderPattern() = default;
    // Of a name in lower case and a scheme, or an empty one where the whole value is the
    // credential. nullopt for a name or a scheme of a length that it cannot hold.
    static std::optional<HeaderPattern> of(std::string_view lowcase,
                                           std::string_view scheme) noexcept;

    explicit operator bool() const noexcept { return name_size_ != 0; }

    // Whether that, in lower case, is the name. The empty name never is.
    bool is_name(std::string_view lowcase) const noexcept {
        return lowcase.size() == name_size_ && name_size_ != 0 &&
               ends_of(lowcase.data(), lowcase.size()) == name_;
    }

    // What from_header() says of a value with the scheme in the same case and a space behind it
    // (RFC 9110 section 11.1). Empty for any other value, and for one of less than 8 octets.
    std::string_view credential(std::string_view value) const noexcept {
        std::uint64_t begin;
        if (value.size() < sizeof begin) return {};
        std::memcpy(&begin, value.data(), sizeof begin);
        if ((begin & prefix_mask_) != prefix_) return {};
        return {value.data() + prefix_size_, value.size() - prefix_size_};
    }

private:
    // The first and the last octets of a name, which may overlap: with its size they are all of it.
    struct Ends {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        bool operator==(const Ends&) const = default;
    };
    static Ends ends_of(const char* text, std::size_t size) noexcept {
        Ends ends;
        std::memcpy(&ends.first, text, sizeof ends.first);
        std::memcpy(&ends.last, text + size - sizeof ends.last, sizeof ends.last);
        return ends;
    }

    Ends name_;
    // The scheme and a space, and which of a value's first octets these are.
    std::uint64_t prefix_ = 0;
    std::uint64_t prefix_mask_ = 0;
    std::uint8_t name_size_ = 0;
    std::uint8_t prefix_size_ = 0;
};

}  // namespace gate::http
