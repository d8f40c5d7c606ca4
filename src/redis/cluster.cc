#include "redis/cluster.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "redis/decimal.h"

namespace gate::redis {

namespace {

// CRC-16/XMODEM: polynomial 0x1021, nothing reflected, starts at 0 (cluster-spec, appendix A).
constexpr std::array<std::uint16_t, 256> make_crc_table() {
    constexpr unsigned kPolynomial = 0x1021;
    std::array<std::uint16_t, 256> table{};
    for (unsigned octet = 0; octet < table.size(); ++octet) {
        unsigned crc = octet << 8;
        for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x8000) != 0 ? kPolynomial : 0);
        table[octet] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr auto kCrc = make_crc_table();

std::string_view hashed_part(std::string_view key) noexcept {
    const std::size_t open = key.find('{');
    if (open == key.npos) return key;
    const std::size_t close = key.find('}', open);
    if (close == key.npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

std::optional<std::uint16_t> slot_in(const Reply& reply) noexcept {
    if (!reply.is(Reply::Type::kInteger) || reply.integer < 0 || reply.integer >= kSlots) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(reply.integer);
}

// One element of CLUSTER SLOTS: slots from first to last, and their master.
struct Range {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    std::optional<Endpoint> master;  // nullopt: nobody knows what it is called
};

// The host that a node goes by: "" or nil is the one that was asked, "?" one that has no name where
// names are asked for (cluster-preferred-endpoint-type in redis.conf).
bool read_node(const Reply& node, const Endpoint& asked, std::optional<Endpoint>& endpoint) {
    if (!node.is(Reply::Type::kArray) || node.items.size() < 2) return false;
    const Reply& host = node.items[0];
    const Reply& port = node.items[1];
    if (!host.is(Reply::Type::kString) && !host.is(Reply::Type::kNil)) return false;
    if (!port.is(Reply::Type::kInteger) || port.integer < 1 || port.integer > 0xffff) return false;
    const std::string& name = host.text.empty() ? asked.host : host.text;
    if (name.empty() || name == "?") return true;
    if (!is_host(name)) return false;
    endpoint = Endpoint{name, static_cast<std::uint16_t>(port.integer), {}};
    return true;
}

std::optional<Range> read_range(const Reply& reply, const Endpoint& asked) {
    if (!reply.is(Reply::Type::kArray) || reply.items.size() < 3) return std::nullopt;
    const auto first = slot_in(reply.items[0]);
    const auto last = slot_in(reply.items[1]);
    if (!first || !last || *first > *last) return std::nullopt;
    Range range{*first, *last, {}};
    if (!read_node(reply.items[2], asked, range.master)) return std::nullopt;
    return range;
}

}  // namespace

std::uint16_t slot_of(std::string_view key) noexcept {
    unsigned crc = 0;
    for (const char c : hashed_part(key)) {
        crc = (crc << 8 ^ kCrc[(crc >> 8 ^ static_cast<std::uint8_t>(c)) & 0xff]) & 0xffff;
    }
    return static_cast<std::uint16_t>(crc % kSlots);
}

std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& asked) {
    Redirect redirect;
    redirect.ask = error.starts_with("ASK ");
    if (!redirect.ask && !error.starts_with("MOVED ")) return std::nullopt;
    error.remove_prefix(error.find(' ') + 1);
    const std::size_t blank = error.find(' ');
    if (blank == error.npos) return std::nullopt;
    const auto slot = parse_decimal(error.substr(0, blank));
    if (!slot || *slot >= kSlots) return std::nullopt;
    redirect.slot = static_cast<std::uint16_t>(*slot);
    // The last ':', because an IPv6 address comes without brackets.
    const std::string_view node = error.substr(blank + 1);
    const std::size_t colon = node.rfind(':');
    if (colon == node.npos) return std::nullopt;
    const auto port = parse_port(node.substr(colon + 1));
    const std::string_view host = colon == 0 ? asked.host : node.substr(0, colon);
    if (!port || !is_host(host)) return std::nullopt;
    redirect.to = Endpoint{std::string(host), *port, {}};
    return redirect;
}

bool SlotMap::assign(const Reply& reply, const Endpoint& asked) {
    // More ranges than slots lie above each other; Redis never answers so.
    if (!reply.is(Reply::Type::kArray) || reply.items.size() > kSlots) return false;
    std::map<Endpoint, std::uint16_t> numbers;
    std::vector<const Endpoint*> endpoints;
    std::vector<std::uint16_t> slots(kSlots, kNobody);
    for (const Reply& item : reply.items) {
        const auto range = read_range(item, asked);
        if (!range) return false;
        std::uint16_t number = kNobody;
        if (range->master) {
            const auto [at, added] =
                numbers.try_emplace(*range->master, static_cast<std::uint16_t>(endpoints.size()));
            if (added) endpoints.push_back(&at->first);
            number = at->second;
        }
        std::fill(slots.begin() + range->first, slots.begin() + range->last + 1, number);
    }

    // Numbers anew, in the order of the slots: a range above it may have left a node without any.
    std::vector<Endpoint> owners;
    std::vector<std::uint16_t> renumbered(endpoints.size(), kNobody);
    for (std::uint16_t& slot : slots) {
        if (slot == kNobody) continue;
        std::uint16_t& number = renumbered[slot];
        if (number == kNobody) {
            number = static_cast<std::uint16_t>(owners.size());
            owners.push_back(*endpoints[slot]);
        }
        slot = number;
    }
    owners_ = std::move(owners);
    slots_ = std::move(slots);
    return true;
}

const Endpoint* SlotMap::owner(std::uint16_t slot) const noexcept {
    if (slot >= kSlots || slots_[slot] == kNobody) return nullptr;
    return &owners_[slots_[slot]];
}

void SlotMap::move(std::uint16_t slot, const Endpoint& to) {
    if (slot >= kSlots) return;
    const std::uint16_t number = number_of(to);
    const std::uint16_t before = std::exchange(slots_[slot], number);
    if (before != kNobody) drop_if_idle(before);
}

void SlotMap::clear() noexcept {
    owners_.clear();
    std::ranges::fill(slots_, kNobody);
}

std::uint16_t SlotMap::number_of(const Endpoint& endpoint) {
    const auto found = std::ranges::find(owners_, endpoint);
    const auto number = static_cast<std::uint16_t>(found - owners_.begin());
    if (found == owners_.end()) owners_.push_back(endpoint);
    return number;
}

void SlotMap::drop_if_idle(std::uint16_t number) noexcept {
    if (std::ranges::find(slots_, number) != slots_.end()) return;
    owners_.erase(owners_.begin() + number);
    for (std::uint16_t& slot : slots_) {
        if (slot != kNobody && slot > number) --slot;
    }
}

}  // namespace gate::redis
