// Readers beside a writer, as processes and as threads: what they find is whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "cache/table.h"
#include "tests/cache/table_values.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

using namespace test;
using gate::test::SharedMutex;
using gate::test::SharedRegion;

constexpr std::size_t kBytes = 8 * Table::kWays * kSlot + 64;  // 64 slots
constexpr std::uint64_t kKeys = 100;                           // more than fit

// What the processes tell each other.
struct Shared {
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> found = 0;
    std::atomic<std::uint64_t> torn = 0;
    std::atomic<std::uint64_t> writes = 0;
};

// `time` stands in for the second, and grows so that entries expire.
void write_once(Table& table, std::mt19937& random, std::uint64_t version) {
    const Fingerprint key = key_of(random() % kKeys);
    const auto now = static_cast<std::uint32_t>(1000 + version / 256);
    switch (random() % 8) {
        case 0:
            table.erase(key);
            break;
        case 1:
        case 2:
            table.update(key, kMark, mark_of(key, version & 0xffff));
            break;
        default:
            table.insert(key, now, now + random() % 100, payload_of(key, version));
    }
}

void read_until_stopped(const Table& table, Shared& shared, unsigned seed) {
    std::mt19937 random(seed);
    std::uint64_t found = 0, torn = 0;
    while (!shared.stop.load(std::memory_order_relaxed)) {
        const Fingerprint key = key_of(random() % kKeys);
        Payload payload{};
        if (!table.find(key, 1000, payload)) continue;
        ++found;
        torn += !belongs(key, payload);
    }
    shared.found += found;
    shared.torn += torn;
}

class TableRace : public testing::Test {
protected:
    TableRace()
        : region_(kBytes + 8192),
          table_(region_.bytes().first(kBytes), kSlot),
          shared_(*new (region_.at<Shared>((kBytes + 4095) / 4096 * 4096)) Shared),
          mutex_(*new (region_.at<SharedMutex>((kBytes + 4095) / 4096 * 4096 + 1024)) SharedMutex) {
    }

    std::vector<pid_t> fork_readers() {
        std::vector<pid_t> readers;
        for (unsigned i = 0; i < 3; ++i) {
            readers.push_back(gate::test::fork_child([&, i] {
                read_until_stopped(table_, shared_, 100 + i);
                return 0;
            }));
        }
        return readers;
    }

    [[noreturn]] void write_for_ever(unsigned seed) {
        std::mt19937 random(seed);
        for (;;) {
            mutex_.lock();
            write_once(table_, random, shared_.writes++);
            mutex_.unlock();
        }
    }

    void finish(const std::vector<pid_t>& readers) {
        shared_.stop = true;
        for (const pid_t reader : readers) {
            EXPECT_EQ(gate::test::wait_for_child(reader), gate::test::ChildEnd{});
        }
        std::printf("%llu writes, %llu found, %llu torn\n",
                    static_cast<unsigned long long>(shared_.writes.load()),
                    static_cast<unsigned long long>(shared_.found.load()),
                    static_cast<unsigned long long>(shared_.torn.load()));
        EXPECT_EQ(shared_.torn.load(), 0u);
        EXPECT_GT(shared_.found.load(), 1000u);
        EXPECT_GT(shared_.writes.load(), 1000u);
    }

    SharedRegion region_;
    Table table_;
    Shared& shared_;
    SharedMutex& mutex_;
};

TEST_F(TableRace, ReadersInOtherProcessesNeverSeeATornEntry) {
    const auto readers = fork_readers();
    const pid_t writer = gate::test::fork_child([&]() -> int { write_for_ever(1); });
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    kill(writer, SIGKILL);
    EXPECT_EQ(gate::test::wait_for_child(writer), (gate::test::ChildEnd{0, SIGKILL}));
    finish(readers);
}

// Two writers at a time, one of which is killed wherever it happens to be, many times over.
TEST_F(TableRace, ReadersAndWritersGoOnWhenWritersAreKilled) {
    const auto readers = fork_readers();
    const pid_t survivor = gate::test::fork_child([&]() -> int { write_for_ever(2); });
    for (unsigned i = 0; i < 50; ++i) {
        const pid_t victim = gate::test::fork_child([&, i]() -> int { write_for_ever(10 + i); });
        std::this_thread::sleep_for(std::chrono::microseconds(5000 + 37 * i));
        kill(victim, SIGKILL);
        EXPECT_EQ(gate::test::wait_for_child(victim), (gate::test::ChildEnd{0, SIGKILL}));
    }
    const std::uint64_t before = shared_.writes;
    // A busy machine may not let it run for a while.
    for (int wait = 0; wait < 500 && shared_.writes == before; ++wait) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(shared_.writes.load(), before) << "the surviving writer hangs";
    kill(survivor, SIGKILL);
    gate::test::wait_for_child(survivor);
    finish(readers);
    EXPECT_LE(table_.occupied(), table_.capacity());
}

// The same with threads, for the thread sanitizer.
TEST_F(TableRace, ThreadsNeverSeeATornEntry) {
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 2; ++i) {
        threads.emplace_back([&, i] { read_until_stopped(table_, shared_, 200 + i); });
        threads.emplace_back([&, i] {
            std::mt19937 random(300 + i);
            while (!shared_.stop.load(std::memory_order_relaxed)) {
                const std::lock_guard lock(mutex);
                write_once(table_, random, shared_.writes++);
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    shared_.stop = true;
    for (std::thread& thread : threads) thread.join();
    finish({});
}

}  // namespace
}  // namespace gate::cache
