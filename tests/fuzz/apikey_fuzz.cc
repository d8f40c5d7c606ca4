// API keys as text and key files. The first line says what follows:
//   key     checksum "on" or "off", prefix, key (a line each)
//   file    a key file
//   packed  octets of a packed record
#include <algorithm>
#include <charconv>
#include <set>
#include <string>

#include "apikey/key_digest.h"
#include "apikey/key_format.h"
#include "apikey/key_table.h"
#include "apikey/packed_record.h"
#include "apikey/record.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using apikey::Record;

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// CRC-32 (IEEE 802.3) bit by bit, as six base62 digits.
std::string checksum(std::string_view text) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : text) {
        crc ^= static_cast<std::uint8_t>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    std::string out(6, '0');
    for (std::size_t i = 6; i-- > 0; crc /= 62) out[i] = kDigits[crc % 62];
    return out;
}

bool is_base62(std::string_view text) {
    return text.find_first_not_of(kDigits) == std::string_view::npos;
}

void check_text(const apikey::KeyFormat& format, std::string_view key) {
    if (!apikey::check_key(format, key)) return;
    GATE_INVARIANT(key.size() <= apikey::kMaxKeySize && key.starts_with(format.prefix));
    const std::string_view rest = key.substr(format.prefix.size());
    if (!format.checksum) {
        GATE_INVARIANT(!rest.empty() && std::all_of(rest.begin(), rest.end(),
                                                    [](char c) { return c > ' ' && c <= '~'; }));
        return;
    }
    GATE_INVARIANT(rest.size() == 50 && rest[43] == '_');
    GATE_INVARIANT(is_base62(rest.substr(0, 43)));
    GATE_INVARIANT(rest.substr(44) == checksum(key.substr(0, key.size() - 7)));
    // One wrong character is always found.
    std::string mistyped(key);
    char& last = mistyped[mistyped.size() - 8];
    last = last == 'a' ? 'b' : 'a';
    GATE_INVARIANT(!apikey::check_key(format, mistyped));
}

void check_made(std::string_view prefix) {
    if (apikey::prefix_problem(prefix)) return;
    GATE_INVARIANT(prefix.size() <= apikey::kMaxPrefixSize);
    const auto key = apikey::generate_key(prefix);
    GATE_INVARIANT(key && static_cast<bool>(apikey::check_key({std::string(prefix), true}, *key)));
    GATE_INVARIANT(apikey::generate_key(prefix) != key);
}

bool inside(const apikey::Network& network, const std::array<std::uint8_t, 16>& address) {
    for (unsigned i = 0; i < network.prefix_length; ++i) {
        const unsigned mask = 0x80u >> i % 8;
        if ((network.address[i / 8] & mask) != (address[i / 8] & mask)) return false;
    }
    return true;
}

void check_networks(const Record& record, Seconds now) {
    std::array<std::uint8_t, 16> address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
                                         0,    0,    0,    0,    0, 0, 0, 7};
    const std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3};
    const std::array<std::uint8_t, 4> v4{10, 1, 2, 3};
    for (const apikey::Network& network : record.networks) {
        const auto again = apikey::Network::parse(network.text());
        GATE_INVARIANT(again && again->address == network.address &&
                       again->prefix_length == network.prefix_length);
        GATE_INVARIANT(network.contains(address) == inside(network, address));
        GATE_INVARIANT(network.contains(v4) == inside(network, mapped));
        GATE_INVARIANT(network.contains(mapped) == inside(network, mapped));
        GATE_INVARIANT(!network.contains(Bytes(address).first(5)));
    }
    const auto usable = apikey::check_record(record, now, v4);
    const bool reachable =
        record.networks.empty() ||
        std::any_of(record.networks.begin(), record.networks.end(),
                    [&](const apikey::Network& network) { return inside(network, mapped); });
    const bool good = record.status == apikey::KeyStatus::kActive && reachable &&
                      (!record.not_before || *record.not_before <= now) &&
                      (!record.expires || now < *record.expires);
    GATE_INVARIANT(static_cast<bool>(usable) == good);
}

// What fits comes back from its packed form as it was; what is cut off does not come back.
void check_packed(const Record& record) {
    ByteVector octets(4040);
    const auto size = apikey::pack(record, octets);
    if (!size) return;
    auto back = apikey::unpack(Bytes(octets).first(*size));
    GATE_INVARIANT(back.has_value());
    back->digest = record.digest;
    GATE_INVARIANT(back->to_json() == record.to_json());
    GATE_INVARIANT(!apikey::unpack(Bytes(octets).first(*size - 1)));
}

// Any octets: a record that is packed again to the same octets (but for its labels, whose text may
// have been written otherwise), or none.
void check_unpacked(Bytes octets) {
    const auto record = apikey::unpack(octets);
    if (!record) return;
    ByteVector again(octets.size() + 4040);
    const auto size = apikey::pack(*record, again);
    if (!size || record->labels.root().present()) return;
    GATE_INVARIANT(std::ranges::equal(Bytes(again).first(*size), octets));
}

void check_record(const Record& record) {
    GATE_INVARIANT(!record.id.empty() && record.id.size() <= 64);
    const auto octets = from_hex(record.digest);
    GATE_INVARIANT(octets && octets->size() == 32 && to_hex(*octets) == record.digest);
    for (const auto* list : {&record.scopes, &record.roles, &record.groups}) {
        for (const std::string& element : *list) GATE_INVARIANT(!element.empty());
    }
    for (const Seconds now : {Seconds{0}, Seconds{1800000000}, Seconds{253402300799}}) {
        check_networks(record, now);
    }
    check_packed(record);
}

void check_file(std::string_view text) {
    const auto table = apikey::KeyTable::parse(text);
    if (!table) {
        GATE_INVARIANT(!table.error().empty());
        return;
    }
    std::set<std::string> ids;
    std::set<std::string> digests;
    for (const auto& record : table->records()) {
        check_record(*record);
        GATE_INVARIANT(ids.insert(record->id).second && digests.insert(record->digest).second);
        crypto::Digest256 digest{};
        const auto octets = from_hex(record->digest);
        std::copy(octets->begin(), octets->end(), digest.begin());
        GATE_INVARIANT(table->find(digest) == record);
        digest.front() ^= 1;
        const auto neighbour = table->find(digest);
        GATE_INVARIANT(neighbour == nullptr || neighbour->digest == to_hex(digest));
    }
    // What is written back says the same.
    const std::string written = apikey::KeyTable::to_json(table->records());
    const auto again = apikey::KeyTable::parse(written);
    GATE_INVARIANT(again && again->records().size() == table->records().size());
    GATE_INVARIANT(apikey::KeyTable::to_json(again->records()) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view what = input.line();
    if (what == "file") {
        check_file(input.rest());
        return 0;
    }
    if (what == "packed") {
        check_unpacked(bytes_of(input.rest()));
        return 0;
    }
    const bool on = input.line() == "on";
    const std::string prefix(input.line());
    const std::string_view key = input.rest();
    check_text({prefix, on}, key);
    check_made(prefix);
    using apikey::DigestKind;
    const auto plain = apikey::digest_key(key, DigestKind::kSha256, {});
    GATE_INVARIANT(plain == apikey::digest_key(key, DigestKind::kSha256, bytes_of("p")));
    GATE_INVARIANT(plain != apikey::digest_key(key, DigestKind::kHmacSha256, bytes_of("p")));
    return 0;
}
