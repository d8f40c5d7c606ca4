// Many writers, writers that are killed, compaction beside them: nothing acknowledged is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <new>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/journal_support.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

std::string value_of(int writer, int number) {
    return "w" + std::to_string(writer) + "-" + std::to_string(number);
}

class JournalConcurrent : public JournalFile {
protected:
    static constexpr int kWriters = 8;
    static constexpr int kEach = 25;

    // Appends kEach lines; the exit status of a child.
    int write_lines(int writer) const {
        for (int i = 0; i < kEach; ++i) {
            if (!append({entry(value_of(writer, i))}).empty()) return 1;
        }
        return 0;
    }

    std::multiset<std::string> found() const {
        std::multiset<std::string> all;
        const auto done = read_journal(path(), [&](const JournalEntry& e) { all.insert(e.value); });
        EXPECT_TRUE(done) << done.error().line << ": " << done.error().text;
        return all;
    }

    // In this process: somebody else who holds the lock.
    int locked() const {
        const int fd = open(path().c_str(), O_RDWR);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(flock(fd, LOCK_EX), 0);
        return fd;
    }
    // close() alone would not do it: the child has the descriptor too.
    static void unlock(int fd) {
        EXPECT_EQ(flock(fd, LOCK_UN), 0);
        close(fd);
    }
};

TEST_F(JournalConcurrent, EightWritersLoseNothing) {
    std::vector<pid_t> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.push_back(test::fork_child([this, w] { return write_lines(w); }));
    }
    for (const pid_t pid : writers) EXPECT_EQ(test::wait_for_child(pid), test::ChildEnd{});
    const auto all = found();
    EXPECT_EQ(all.size(), std::size_t{kWriters} * kEach);
    for (int w = 0; w < kWriters; ++w) {
        for (int i = 0; i < kEach; ++i) EXPECT_EQ(all.count(value_of(w, i)), 1U);
    }
}

TEST_F(JournalConcurrent, CompactionBesideWritersLosesNothing) {
    std::vector<pid_t> writers;
    for (int w = 0; w < 4; ++w) {
        writers.push_back(test::fork_child([this, w] { return write_lines(w); }));
    }
    const pid_t compactor = test::fork_child([this] {
        for (int i = 0; i < 40; ++i) {
            // Something to leave out, so that each round replaces the file.
            if (!append({entry("same"), entry("same")}).empty()) return 1;
            if (!compact_journal(path(), 0)) return 2;
        }
        return 0;
    });
    std::size_t most = 0;
    for (int i = 0; i < 50; ++i) {
        // A reader at any time finds a whole file with everything that was there before.
        std::size_t count = 0;
        const auto done = read_journal(path(), [&](const JournalEntry&) { ++count; });
        if (!done && done.error().line == 0) continue;  // not there yet
        ASSERT_TRUE(done) << done.error().line << ": " << done.error().text;
        EXPECT_GE(count + 2, most);
        most = std::max(most, count);
        usleep(2000);
    }
    for (const pid_t pid : writers) EXPECT_EQ(test::wait_for_child(pid), test::ChildEnd{});
    EXPECT_EQ(test::wait_for_child(compactor), test::ChildEnd{});
    auto all = found();
    EXPECT_GE(all.erase("same"), 1U);
    EXPECT_EQ(all.size(), std::size_t{4} * kEach);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST_F(JournalConcurrent, AKilledWriterLeavesAFileThatParses) {
    ASSERT_EQ(append({entry("first")}), "");
    std::mt19937_64 random(11);
    test::SharedRegion region(4096);
    auto& acknowledged = *new (region.at<std::atomic<int>>(0)) std::atomic<int>(0);
    for (int round = 0; round < 100; ++round) {
        const pid_t writer = test::fork_child([&] {
            for (;;) {
                const int next = acknowledged + 1;
                // Lines of different lengths, several at a time.
                std::vector<JournalEntry> entries(3, entry(value_of(1, next)));
                entries[1].issuer.assign(static_cast<std::size_t>(next % 900), 'i');
                if (!append(entries).empty()) return 1;
                acknowledged = next;
            }
        });
        usleep(static_cast<useconds_t>(random() % 8000));
        kill(writer, SIGKILL);
        ASSERT_EQ(test::wait_for_child(writer).signal, SIGKILL);
        const auto all = found();
        for (int i = 1; i <= acknowledged; ++i) {
            ASSERT_GE(all.count(value_of(1, i)), 3U) << "acknowledged, round " << round;
        }
    }
    EXPECT_GT(acknowledged, 0);
    ASSERT_EQ(append({entry("last")}), "");
    const std::string text = read();
    EXPECT_TRUE(text.ends_with("\n" + line("last")));
}

TEST_F(JournalConcurrent, AWriterNoticesThatTheFileWasReplacedWhileItWaited) {
    ASSERT_EQ(append({entry("a")}), "");
    const int fd = locked();
    const pid_t writer = test::fork_child([this] { return append({entry("b")}).empty() ? 0 : 1; });
    usleep(50000);
    write(line("new"), "other");
    ASSERT_EQ(rename((directory() + "/other").c_str(), path().c_str()), 0);
    unlock(fd);
    EXPECT_EQ(test::wait_for_child(writer), test::ChildEnd{});
    EXPECT_EQ(values(), "new b");
}

TEST_F(JournalConcurrent, AWriterCreatesTheFileAnewThatWasRemovedWhileItWaited) {
    ASSERT_EQ(append({entry("a")}), "");
    const int fd = locked();
    const pid_t writer = test::fork_child([this] { return append({entry("b")}).empty() ? 0 : 1; });
    usleep(50000);
    ASSERT_EQ(unlink(path().c_str()), 0);
    unlock(fd);
    EXPECT_EQ(test::wait_for_child(writer), test::ChildEnd{});
    EXPECT_EQ(values(), "b");
}

TEST_F(JournalConcurrent, AReaderIsNotMisledByAnUnfinishedLineThatIsReplaced) {
    // Readers take no lock, so they may see the tail of a dead writer and then the next one's line.
    const std::string torn = line("torn").substr(0, 40);
    std::atomic<bool> stop{false};
    const pid_t writer = test::fork_child([&] {
        for (int i = 0; i < 150; ++i) {
            const int fd = open(path().c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
            if (fd < 0 || ::write(fd, torn.data(), torn.size()) < 0) return 1;
            close(fd);
            if (!append({entry(value_of(1, i))}).empty()) return 2;
        }
        return 0;
    });
    for (int i = 0; i < 300; ++i) {
        const auto done = read_journal(path(), [](const JournalEntry&) {});
        if (!done && done.error().line == 0) continue;
        ASSERT_TRUE(done) << done.error().line << ": " << done.error().text;
    }
    EXPECT_EQ(test::wait_for_child(writer), test::ChildEnd{});
    EXPECT_EQ(found().size(), 150U);
}

}  // namespace
}  // namespace gate::cache
