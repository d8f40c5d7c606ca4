// Networks as text and the test of membership.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "apikey/record.h"

namespace gate::apikey {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;
constexpr unsigned kAllBits = 128;

bool is_mapped(const std::array<std::uint8_t, 16>& address) noexcept {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

// The address as IPv6, and how many bits stand before the first one that its own notation counts.
struct ParsedAddress {
    std::array<std::uint8_t, 16> octets{};
    unsigned offset = 0;
};

std::optional<ParsedAddress> parse_address(std::string_view text) {
    const std::string terminated(text);
    if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
    ParsedAddress parsed;
    if (inet_pton(AF_INET6, terminated.c_str(), parsed.octets.data()) == 1) return parsed;
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), parsed.octets.begin());
    parsed.offset = kMappedBits;
    if (inet_pton(AF_INET, terminated.c_str(), parsed.octets.data() + kMappedPrefix.size()) == 1) {
        return parsed;
    }
    return std::nullopt;
}

bool bit(const std::array<std::uint8_t, 16>& address, unsigned index) noexcept {
    return ((address[index / 8] >> (7 - index % 8)) & 1u) != 0;
}

std::optional<unsigned> parse_length(std::string_view text, unsigned max) {
    unsigned length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const bool zero_padded = text.size() > 1 && text.front() == '0';
    if (error != std::errc{} || end != text.data() + text.size() || zero_padded || length > max) {
        return std::nullopt;
    }
    return length;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto parsed = parse_address(text.substr(0, slash));
    if (!parsed) return std::nullopt;
    Network network{parsed->octets, kAllBits};
    if (slash != std::string_view::npos) {
        const auto length = parse_length(text.substr(slash + 1), kAllBits - parsed->offset);
        if (!length) return std::nullopt;
        network.prefix_length = parsed->offset + *length;
    }
    for (unsigned i = network.prefix_length; i < kAllBits; ++i) {
        if (bit(network.address, i)) return std::nullopt;
    }
    return network;
}

bool Network::contains(Bytes client) const noexcept {
    std::array<std::uint8_t, 16> octets{};
    if (client.size() == 4) {
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin());
        std::copy(client.begin(), client.end(), octets.begin() + kMappedPrefix.size());
    } else if (client.size() == octets.size()) {
        std::copy(client.begin(), client.end(), octets.begin());
    } else {
        return false;
    }
    for (unsigned i = 0; i < prefix_length; ++i) {
        if (bit(address, i) != bit(octets, i)) return false;
    }
    return true;
}

std::string Network::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    const bool mapped = prefix_length >= kMappedBits && is_mapped(address);
    const std::uint8_t* octets = address.data() + (mapped ? kMappedPrefix.size() : 0);
    inet_ntop(mapped ? AF_INET : AF_INET6, octets, buffer.data(), buffer.size());
    const unsigned length = mapped ? prefix_length - kMappedBits : prefix_length;
    return std::string(buffer.data()) + "/" + std::to_string(length);
}

}  // namespace gate::apikey
