// revocations: the set of revoked ids with 1,000,000 of them, and the journal that it is loaded
// from. Lookups go to random places of a set that no private cache holds. Exits 1 where a bar is
// missed.
//
// The worst case beside it: each lookup waits for the result of the one before, and the caches are
// flushed before each batch. Its measure, and that of finding a revoked id, is what the machine
// takes for reading two random lines of the set in the same way: main memory, whatever the code.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "cache/journal_file.h"
#include "cache/revocations.h"

namespace {

using namespace gate::cache;

constexpr std::size_t kIds = 1000000;
constexpr std::uint32_t kNow = 1800000000;
constexpr int kBatches = 25;
constexpr int kLookups = 20000;     // of a batch
constexpr double kMaxLookup = 200;  // nanoseconds
constexpr double kMaxWorst = 2;     // times two random reads
constexpr double kMaxOctets = 40;
constexpr double kMaxLoad = 5;  // seconds

double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool judge(const char* what, double value, const char* unit, double bar) {
    std::printf("%-44s %9.1f %-8s (bar %.0f)%s\n", what, value, unit, bar,
                value <= bar ? "" : "  MISSED");
    return value <= bar;
}

// A zone's memory: shared, zero-filled.
std::span<std::byte> map(std::size_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::exit(1);
    return {static_cast<std::byte*>(memory), size};
}

void flush_caches() {
    static std::vector<unsigned char> other(std::size_t{192} << 20);
    for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

RevocationDigest digest_of(std::uint64_t number) {
    const std::uint64_t high = mixed(number);
    return {high | 1, std::rotl(high, 17) * 0x9e3779b97f4a7c15};
}

// The lower quartile of the batches, in nanoseconds of CPU time. `one` takes a random number and
// returns something of its result, 0 or more.
template <class One>
double time_batches(bool waiting, One&& one) {
    std::vector<double> times;
    std::uint64_t state = 1;
    for (int batch = 0; batch < kBatches; ++batch) {
        if (waiting) flush_caches();
        const double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        std::uint64_t sum = 0;
        for (int i = 0; i < kLookups; ++i) {
            const std::uint64_t result = one(mixed(state));
            sum += result;
            state += 1 + (waiting ? result : 0);
        }
        times.push_back((seconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e9 / kLookups);
        if (sum == 1) std::puts("");  // so that the result is needed
    }
    std::ranges::sort(times);
    return times[times.size() / 4];
}

double time_lookups(const Revocations& set, bool revoked, bool waiting) {
    const std::uint64_t first = revoked ? 0 : kIds;
    return time_batches(waiting, [&](std::uint64_t random) {
        const bool dead = set.revoked(digest_of(first + random % kIds), 0, kNow);
        if (dead != revoked) std::abort();
        return std::uint64_t{dead};
    });
}

double time_reads(std::span<const std::byte> memory) {
    const std::size_t lines = memory.size() / 64;
    return time_batches(true, [&](std::uint64_t random) {
        const std::byte a = memory[random % lines * 64];
        const std::byte b = memory[(random >> 20) % lines * 64];
        return std::uint64_t{(a & b) == std::byte{1}};
    });
}

bool lookups() {
    const std::size_t size = Revocations::size_for(kIds / 8 * 10 / 8 + 1);  // 80 % in use
    const std::span<std::byte> memory = map(size);
    Revocations set(memory);
    const double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (std::uint64_t i = 0; i < kIds; ++i) {
        if (set.put({digest_of(i)}, kNow) != Revocations::Put::kAdded) std::abort();
    }
    const double put = (seconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e9 / kIds;
    std::printf("%zu ids, %zu places, %.1f MiB; put %.0f ns\n", set.size(), set.capacity(),
                static_cast<double>(size) / (1 << 20), put);
    bool good = judge("lookup, not revoked", time_lookups(set, false, false), "ns", kMaxLookup);
    const double reads = time_reads(memory);
    std::printf("%-44s %9.1f ns\n", "two random lines, waiting, flushed", reads);
    const double bar = kMaxWorst * reads;
    good &=
        judge("lookup, not revoked, waiting, flushed", time_lookups(set, false, true), "ns", bar);
    good &= judge("lookup, revoked", time_lookups(set, true, false), "ns", bar);
    good &= judge("lookup, revoked, waiting, flushed", time_lookups(set, true, true), "ns", bar);
    return judge("memory per id", static_cast<double>(size) / kIds, "octets", kMaxOctets) && good;
}

bool journal() {
    std::string directory = std::filesystem::temp_directory_path() / "gate-bench-XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) return false;
    const std::string path = directory + "/journal";
    std::vector<JournalEntry> entries(kIds);
    for (std::size_t i = 0; i < kIds; ++i) {
        const RevocationDigest digest = digest_of(i);
        std::string id(32, '0');
        std::snprintf(id.data(), id.size() + 1, "%016llx%016llx",
                      static_cast<unsigned long long>(digest.high),
                      static_cast<unsigned long long>(digest.low));
        entries[i] = {kNow, RevocationKind::kJti, "https://idp.example.com",
                      id,   kEveryInstant,        kNow + static_cast<std::uint32_t>(i)};
    }
    if (!append_to_journal(path, entries)) return false;
    std::printf("\njournal of %zu lines, %.0f MB\n", kIds,
                static_cast<double>(std::filesystem::file_size(path)) / 1e6);

    Revocations set(map(Revocations::size_for(kIds / 6)));
    const gate::SipKey seed{1, 2, 3};
    double start = seconds(CLOCK_MONOTONIC);
    std::size_t count = 0;
    const bool parsed =
        static_cast<bool>(read_journal(path, [&](const JournalEntry&) { ++count; }));
    const double parse = seconds(CLOCK_MONOTONIC) - start;
    start = seconds(CLOCK_MONOTONIC);
    const bool applied = static_cast<bool>(read_journal(path, [&](const JournalEntry& entry) {
        set.put({digest_revocation(seed, entry.kind, entry.issuer, entry.value), entry.issued_until,
                 entry.expires},
                kNow - 1);
    }));
    const double load = seconds(CLOCK_MONOTONIC) - start;
    std::filesystem::remove_all(directory);
    if (!parsed || !applied || count != kIds || set.size() != kIds) return false;
    std::printf("%-44s %9.2f s\n", "read and parse", parse);
    return judge("read, parse and apply", load * 1000, "ms", kMaxLoad * 1000);
}

}  // namespace

int main() {
    const bool good = lookups();
    return journal() && good ? 0 : 1;
}
