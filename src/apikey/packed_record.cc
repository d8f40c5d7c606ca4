#include "apikey/packed_record.h"

#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace gate::apikey {

namespace {

// Fields of the record that need not be there, as bits of the second octet.
constexpr std::uint8_t kHasNotBefore = 1;
constexpr std::uint8_t kHasExpires = 2;
constexpr std::uint8_t kHasBurst = 4;
constexpr std::uint8_t kHasLabels = 8;
constexpr std::uint8_t kEveryFlag = 15;

constexpr unsigned kAddressBits = 128;

// Numbers stand as this machine writes them; texts and lists have their length before them.
class Packer {
public:
    explicit Packer(std::span<std::uint8_t> out) : out_(out) {}

    void octets(const void* data, std::size_t size) {
        if (size > out_.size() - size_) {
            fits_ = false;
            return;
        }
        if (size != 0) std::memcpy(out_.data() + size_, data, size);
        size_ += size;
    }
    template <class Number>
    void number(Number value) {
        octets(&value, sizeof(value));
    }
    void length(std::size_t value) {
        if (value > std::numeric_limits<std::uint16_t>::max()) fits_ = false;
        number(static_cast<std::uint16_t>(value));
    }
    void text(std::string_view value) {
        length(value.size());
        octets(value.data(), value.size());
    }
    void list(const std::vector<std::string>& values) {
        length(values.size());
        for (const std::string& value : values) text(value);
    }

    std::optional<std::size_t> size() const { return fits_ ? std::optional(size_) : std::nullopt; }

private:
    std::span<std::uint8_t> out_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

// Whatever is missing reads as 0 or empty, and as not good at the end.
class Unpacker {
public:
    explicit Unpacker(Bytes packed) : rest_(packed) {}

    Bytes octets(std::size_t size) {
        if (size > rest_.size()) {
            good_ = false;
            return {};
        }
        const Bytes taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }
    template <class Number>
    Number number() {
        Number value{};
        const Bytes taken = octets(sizeof(value));
        if (!taken.empty()) std::memcpy(&value, taken.data(), sizeof(value));
        return value;
    }
    std::string_view text() { return text_of(octets(number<std::uint16_t>())); }
    void list(std::vector<std::string>& values) {
        const std::size_t count = number<std::uint16_t>();
        for (std::size_t i = 0; i < count && good_; ++i) values.emplace_back(text());
    }

    bool good() const { return good_; }
    bool ended() const { return good_ && rest_.empty(); }

private:
    Bytes rest_;
    bool good_ = true;
};

std::uint8_t flags_of(const Record& record) {
    unsigned flags = 0;
    if (record.not_before) flags |= kHasNotBefore;
    if (record.expires) flags |= kHasExpires;
    if (record.burst) flags |= kHasBurst;
    if (record.labels.root().present()) flags |= kHasLabels;
    return static_cast<std::uint8_t>(flags);
}

void pack_networks(const std::vector<Network>& networks, Packer& packer) {
    packer.length(networks.size());
    for (const Network& network : networks) {
        packer.octets(network.address.data(), network.address.size());
        packer.number(static_cast<std::uint8_t>(network.prefix_length));
    }
}

bool unpack_networks(Unpacker& unpacker, std::vector<Network>& networks) {
    const std::size_t count = unpacker.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && unpacker.good(); ++i) {
        Network network;
        const Bytes address = unpacker.octets(network.address.size());
        if (!address.empty()) {
            std::memcpy(network.address.data(), address.data(), network.address.size());
        }
        network.prefix_length = unpacker.number<std::uint8_t>();
        if (network.prefix_length > kAddressBits) return false;
        networks.push_back(network);
    }
    return true;
}

}  // namespace

std::optional<std::size_t> pack(const Record& record, std::span<std::uint8_t> out) {
    Packer packer(out);
    packer.number(static_cast<std::uint8_t>(record.status));
    packer.number(flags_of(record));
    packer.number(record.created);
    if (record.not_before) packer.number(*record.not_before);
    if (record.expires) packer.number(*record.expires);
    if (record.burst) packer.number(*record.burst);
    packer.text(record.id);
    packer.text(record.name);
    packer.text(record.owner);
    packer.text(record.rate);
    packer.list(record.scopes);
    packer.list(record.roles);
    packer.list(record.groups);
    pack_networks(record.networks, packer);
    if (record.labels.root().present()) packer.text(record.labels.root().dump());
    return packer.size();
}

std::optional<Record> unpack(Bytes packed) {
    Unpacker unpacker(packed);
    Record record;
    const auto status = unpacker.number<std::uint8_t>();
    const auto flags = unpacker.number<std::uint8_t>();
    if (status > static_cast<std::uint8_t>(KeyStatus::kRevoked) || flags > kEveryFlag) {
        return std::nullopt;
    }
    record.status = static_cast<KeyStatus>(status);
    record.created = unpacker.number<Seconds>();
    if ((flags & kHasNotBefore) != 0) record.not_before = unpacker.number<Seconds>();
    if ((flags & kHasExpires) != 0) record.expires = unpacker.number<Seconds>();
    if ((flags & kHasBurst) != 0) record.burst = unpacker.number<std::int64_t>();
    record.id = unpacker.text();
    record.name = unpacker.text();
    record.owner = unpacker.text();
    record.rate = unpacker.text();
    unpacker.list(record.scopes);
    unpacker.list(record.roles);
    unpacker.list(record.groups);
    if (!unpack_networks(unpacker, record.networks)) return std::nullopt;
    if ((flags & kHasLabels) != 0) {
        auto labels = jose::Document::parse(unpacker.text());
        if (!labels) return std::nullopt;
        record.labels = *std::move(labels);
    }
    if (!unpacker.ended()) return std::nullopt;
    return record;
}

}  // namespace gate::apikey
