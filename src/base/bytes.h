// Views of octets, hexadecimal text, and text that is wiped when it dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gate {

using Bytes = std::span<const std::uint8_t>;
using ByteVector = std::vector<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hexadecimal, two characters an octet.
std::string to_hex(Bytes bytes);

// Accepts both cases; nullopt for an odd length or any other character.
std::optional<ByteVector> from_hex(std::string_view hex);

// Overwrites memory in a way the compiler may not remove.
void wipe(void* data, std::size_t size) noexcept;

// A secret octet string; its memory is wiped on destruction. Not copyable.
class Secret {
public:
    Secret() = default;
    explicit Secret(Bytes bytes) : bytes_(bytes.begin(), bytes.end()) {}
    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(bytes_.data(), bytes_.size()); }

    Bytes bytes() const noexcept { return bytes_; }
    std::string_view text() const noexcept { return text_of(bytes_); }
    bool empty() const noexcept { return bytes_.empty(); }

private:
    ByteVector bytes_;
};

// `text` with every octet < 0x20, 0x7f, '"' and '\' as \xHH, cut to `limit` octets of input:
// what may stand between quotes in a log line.
std::string log_escaped(std::string_view text, std::size_t limit);

}  // namespace gate
