// A writer is killed before each of its stores; whoever comes next finds a table that works.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cache/failpoint.h"
#include "cache/table.h"
#include "tests/cache/table_values.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

using namespace test;

#if defined(GATE_FAILPOINTS)

constexpr std::size_t kBytes = 2 * Table::kWays * kSlot + 64;  // two sets
constexpr std::uint32_t kNow = 1000;
constexpr std::uint64_t kKeys = 64;
constexpr std::size_t kMaxHits = 1024;
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kStride = 7;  // forks are slow under the thread sanitizer
#else
constexpr std::size_t kStride = 1;
#endif

// What parent and children share beside the table.
struct Log {
    std::size_t finished = 0;  // operations
    std::size_t hits = 0;
    const char* names[kMaxHits] = {};  // of this program's image, which all of them have
};

Log* active_log = nullptr;
std::size_t kill_at = 0;

void count_or_die(const char* name) {
    const std::size_t hit = active_log->hits++;
    if (hit < kMaxHits) active_log->names[hit] = name;
    if (hit == kill_at) kill(getpid(), SIGKILL);
}

using Operation = std::function<void(Table&)>;

Operation put(std::uint64_t number, std::uint64_t version, std::uint32_t expires = 9000) {
    return [=](Table& table) {
        const Fingerprint key = key_of(number);
        table.insert(key, kNow, expires, payload_of(key, version));
    };
}

// Every path of every writing operation: free, occupied, expired and full places.
std::vector<Operation> script() {
    std::vector<Operation> all;
    for (std::uint64_t i = 0; i < 5; ++i) all.push_back(put(i, 1));
    all.push_back(put(2, 2));
    all.push_back(put(5, 1, kNow + 1));
    all.push_back([](Table& table) { table.update(key_of(3), kMark, mark_of(key_of(3), 9)); });
    all.push_back([](Table& table) { table.erase(key_of(1)); });
    all.push_back(put(4, 2, kNow));                                   // removes it
    for (std::uint64_t i = 6; i < 24; ++i) all.push_back(put(i, 1));  // evicts some
    all.push_back([](Table& table) {
        const Fingerprint key = key_of(30);
        table.insert(key, kNow + 2, 9000, payload_of(key, 1));  // in place of the expired one
    });
    return all;
}

std::optional<Payload> look(const Table& table, std::uint64_t number) {
    Payload payload{};
    if (!table.find(key_of(number), kNow, payload)) return std::nullopt;
    return payload;
}

class TableCrash : public testing::Test {
protected:
    TableCrash()
        : region_(8192 + sizeof(Log)),
          table_(region_.bytes().first(kBytes), kSlot),
          log_(new (region_.at<Log>(8192)) Log),
          mutex_(*new (region_.at<gate::test::SharedMutex>(4096)) gate::test::SharedMutex) {}

    // Runs the operations in a process that dies at the hit with this index, holding the lock.
    gate::test::ChildEnd run(const std::vector<Operation>& operations, std::size_t hit) {
        *log_ = {};
        return gate::test::wait_for_child(gate::test::fork_child([&] {
            active_log = log_;
            kill_at = hit;
            failpoint_hook = count_or_die;
            mutex_.lock();
            for (const Operation& operation : operations) {
                operation(table_);
                ++log_->finished;
            }
            mutex_.unlock();
            return 0;
        }));
    }

    void empty_the_table() {
        for (std::byte& octet : region_.bytes().first(kBytes)) octet = {};
    }

    // The interrupted operation has happened or not, or its entry is gone; all else stands as it
    // did.
    void expect_between(const std::vector<Operation>& operations, std::size_t finished) {
        gate::test::SharedRegion memory(kBytes);
        Table reference(memory.bytes(), kSlot);
        for (std::size_t i = 0; i < finished; ++i) operations[i](reference);
        std::vector<std::optional<Payload>> before, after;
        for (std::uint64_t i = 0; i < kKeys; ++i) before.push_back(look(reference, i));
        operations[finished](reference);
        for (std::uint64_t i = 0; i < kKeys; ++i) after.push_back(look(reference, i));
        for (std::uint64_t i = 0; i < kKeys; ++i) {
            const auto found = look(table_, i);
            EXPECT_TRUE(found == before[i] || found == after[i] ||
                        (!found && before[i] != after[i]))
                << "key " << i;
        }
    }

    // A new writer can use every slot, and the count is right but for one a death.
    void expect_usable(std::size_t deaths) {
        mutex_.lock();
        // Changing one word must not bring back to life what was half written.
        for (std::uint64_t i = 0; i < kKeys; ++i) {
            table_.update(key_of(i), kMark, mark_of(key_of(i), 4));
            const auto found = look(table_, i);
            EXPECT_TRUE(!found || belongs(key_of(i), *found)) << "key " << i;
        }
        std::size_t held = 0;
        for (std::uint64_t i = 1000; i < 1120; ++i) {
            const Fingerprint key = key_of(i);
            table_.insert(key, kNow + 10, 9000, payload_of(key, 5));
            ASSERT_EQ(look(table_, i), payload_of(key, 5));
            EXPECT_LE(table_.occupied(), table_.capacity());
        }
        for (std::uint64_t i = 1000; i < 1120; ++i) {
            if (!look(table_, i)) continue;
            ++held;
            EXPECT_TRUE(table_.update(key_of(i), kMark, mark_of(key_of(i), 3)));
            EXPECT_EQ(look(table_, i), payload_of(key_of(i), 5, 3));
        }
        EXPECT_EQ(held, table_.capacity());
        EXPECT_EQ(table_.occupied(), table_.capacity());
        for (std::uint64_t i = 1000; i < 1120; ++i) table_.erase(key_of(i));
        EXPECT_LE(table_.occupied(), deaths);
        mutex_.unlock();
    }

    gate::test::SharedRegion region_;
    Table table_;
    Log* log_;
    gate::test::SharedMutex& mutex_;
};

std::vector<std::string> source_lines() {
    const auto path = std::filesystem::path(__FILE__).parent_path() / "../../src/cache/table.cc";
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        const std::size_t text = line.find_first_not_of(' ');
        if (text != std::string::npos && line.compare(text, 2, "//") != 0) lines.push_back(line);
    }
    return lines;
}

std::set<std::string> names_in_source() {
    const std::string macro = "GATE_FAILPOINT(\"";
    std::set<std::string> names;
    for (const std::string& line : source_lines()) {
        const std::size_t at = line.find(macro);
        if (at == std::string::npos) continue;
        const std::size_t begin = at + macro.size();
        names.insert(line.substr(begin, line.find('"', begin) - begin));
    }
    return names;
}

TEST_F(TableCrash, HasAFailpointBeforeEveryStoreOfAWriter) {
    std::string last;
    std::size_t stores = 0;
    for (const std::string& line : source_lines()) {
        const bool store = line.find("store_word(") != std::string::npos ||
                           line.find("store_half(") != std::string::npos ||
                           line.find(".store(") != std::string::npos;
        // A reader's mark of use is the one store that is no writer's.
        if (store && line.find("!= now) store_half") == std::string::npos) {
            EXPECT_NE(last.find("GATE_FAILPOINT("), std::string::npos) << line;
            ++stores;
        }
        last = line;
    }
    EXPECT_EQ(stores, names_in_source().size());
}

TEST_F(TableCrash, LeavesAWorkingTableWhereverTheWriterDies) {
    const std::vector<Operation> operations = script();
    ASSERT_EQ(run(operations, kMaxHits + 1), gate::test::ChildEnd{});
    const std::size_t hits = log_->hits;
    ASSERT_LT(hits, kMaxHits);
    std::set<std::string> names;
    for (std::size_t i = 0; i < hits; ++i) names.insert(log_->names[i]);
    EXPECT_EQ(names, names_in_source());
    for (std::size_t hit = 0; hit < hits; hit += kStride) {
        SCOPED_TRACE("killed at " + std::to_string(hit));
        empty_the_table();
        ASSERT_EQ(run(operations, hit), (gate::test::ChildEnd{0, SIGKILL}));
        const std::string name = log_->names[hit];
        SCOPED_TRACE(name);
        expect_between(operations, log_->finished);
        expect_usable(1);
        if (HasFatalFailure()) return;
    }
    std::printf("killed a writer at %zu stores, %zu places\n", hits, names.size());
}

// The writer who repairs what another left dies too.
TEST_F(TableCrash, LeavesAWorkingTableWhereTheRepairerDiesToo) {
    const std::vector<Operation> operations = script();
    run(operations, kMaxHits + 1);
    const std::size_t hits = log_->hits;
    std::size_t pairs = 0;
    // Every seventh: the stores of a payload are all alike.
    for (std::size_t hit = 1; hit < hits; hit += 7 * kStride) {
        for (std::size_t second = 0; second < 5; ++second, ++pairs) {
            SCOPED_TRACE("killed at " + std::to_string(hit) + " and " + std::to_string(second));
            empty_the_table();
            ASSERT_EQ(run(operations, hit), (gate::test::ChildEnd{0, SIGKILL}));
            const std::size_t finished = log_->finished;
            // Both sets are passed by the operation that was interrupted.
            const std::vector<Operation> again(
                operations.begin() + static_cast<std::ptrdiff_t>(finished), operations.end());
            run(again, second);
            for (std::uint64_t i = 0; i < kKeys; ++i) {
                const auto found = look(table_, i);
                EXPECT_TRUE(!found || belongs(key_of(i), *found)) << "key " << i;
            }
            expect_usable(2);
            if (HasFatalFailure()) return;
        }
    }
    std::printf("killed two writers in %zu ways\n", pairs);
}

#else

TEST(TableCrash, NeedsFailpoints) {
    GTEST_SKIP() << "built without GATE_FAILPOINTS";
}

#endif

}  // namespace
}  // namespace gate::cache
