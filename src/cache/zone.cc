#include "cache/zone.h"

#include <algorithm>
#include <cstring>

namespace gate::cache {

namespace {

constexpr std::uint64_t kMagic = 0x6e67782d67617465;  // "ngx-gate"
constexpr std::size_t kAlign = 64;
constexpr std::size_t kMinCounters = std::size_t{64} << 10;
constexpr std::size_t kMaxCounters = std::size_t{2} << 20;
// One set behind the table's head: no table works with less.
constexpr std::size_t kMinLargeRecords = kAlign + Table::kWays * kLargeRecordSlot;

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

constexpr std::size_t align_down(std::size_t size) noexcept {
    return size / kAlign * kAlign;
}

constexpr std::size_t kHeaderSize = (sizeof(ZoneHeader) + kAlign - 1) / kAlign * kAlign;

std::span<std::byte> part(std::span<std::byte> memory, const Extent& extent) noexcept {
    return memory.subspan(extent.offset, extent.size);
}

}  // namespace

std::optional<Layout> layout_of(std::size_t size) noexcept {
    if (size < kMinZone) return std::nullopt;
    Layout layout;
    std::size_t offset = kHeaderSize;
    const auto take = [&offset](std::size_t share) {
        const Extent extent{offset, align_down(share)};
        offset += extent.size;
        return extent;
    };
    layout.revocations = take(size / 4);
    layout.counters = take(std::clamp(size / 32, kMinCounters, kMaxCounters));
    layout.buckets = take(size / 32);
    layout.records = take(size * 3 / 64);
    layout.large_records = take(std::max(size * 2 / 64, kMinLargeRecords));
    layout.unknown_keys = take(size / 64);
    layout.verdicts = take(size - offset);
    return layout;
}

Zone::Problem Zone::format(std::span<std::byte> memory,
                           std::span<const std::uint8_t> random) noexcept {
    if (!layout_of(memory.size())) return Problem::kTooSmall;
    auto* header = reinterpret_cast<ZoneHeader*>(memory.data());
    header->dirty.store(1, std::memory_order_relaxed);
    header->magic = kMagic;
    header->layout_version = kLayoutVersion;
    header->size = memory.size();
    std::memcpy(header->seed.data(), random.data(), header->seed.size());
    std::memcpy(&header->fingerprint_key, random.data() + header->seed.size(),
                sizeof(header->fingerprint_key));
    // Pairs with the acquire load in check().
    header->dirty.store(0, std::memory_order_release);
    return Problem::kNone;
}

Zone::Problem Zone::check(std::span<const std::byte> memory) noexcept {
    if (memory.size() < kMinZone) return Problem::kTooSmall;
    const auto* header = reinterpret_cast<const ZoneHeader*>(memory.data());
    if (header->magic != kMagic) return Problem::kForeign;
    if (header->layout_version != kLayoutVersion || header->size != memory.size()) {
        return Problem::kOtherLayout;
    }
    if (header->dirty.load(std::memory_order_acquire) != 0) return Problem::kUnfinished;
    return Problem::kNone;
}

Zone::Zone(std::span<std::byte> memory, WriterLock lock) noexcept
    : Zone(memory, layout_of(memory.size()).value_or(Layout{}), lock) {}

Zone::Zone(std::span<std::byte> memory, const Layout& layout, WriterLock lock) noexcept
    : revocations(part(memory, layout.revocations)),
      verdicts(part(memory, layout.verdicts), kVerdictSlot),
      records(part(memory, layout.records), kRecordSlot),
      large_records(part(memory, layout.large_records), kLargeRecordSlot),
      unknown_keys(part(memory, layout.unknown_keys), kUnknownSlot),
      buckets(part(memory, layout.buckets)),
      counters(part(memory, layout.counters)),
      header_(reinterpret_cast<ZoneHeader*>(memory.data())),
      lock_(lock) {}

}  // namespace gate::cache
