#include "cache/journal_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/journal_support.h"

namespace gate::cache {
namespace {

TEST_F(JournalFile, TakesLinesAndGivesThemBack) {
    ASSERT_EQ(append({entry("a"), entry("b")}), "");
    ASSERT_EQ(append({entry("c")}), "");
    EXPECT_EQ(values(), "a b c");
    EXPECT_EQ(read(), line("a") + line("b") + line("c"));
    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0137, 0U) << "0640 at most";
}

TEST_F(JournalFile, OfRootBelongsToWhomItsDirectoryBelongsTo) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(chown(directory().c_str(), 4321, 1234), 0);
    ASSERT_EQ(append({entry("a")}), "");
    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 4321U);
    EXPECT_EQ(status.st_gid, 1234U);
    ASSERT_EQ(chown(path().c_str(), 0, 0), 0);
    ASSERT_EQ(append({entry("b"), entry("b")}), "");
    ASSERT_TRUE(compact_journal(path(), 0));
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U) << "one that is there keeps its owner";
}

TEST_F(JournalFile, OfNoEntriesIsAFileAllTheSame) {
    ASSERT_EQ(append({}), "");
    EXPECT_EQ(read(), "");
    EXPECT_EQ(values(), "");
}

TEST_F(JournalFile, NamesWhatCannotBeOpened) {
    EXPECT_EQ(values(), "0: " + path() + ": cannot open: No such file or directory");
    std::filesystem::create_directory(path());
    EXPECT_NE(append({entry("a")}).find(path()), std::string::npos);
    EXPECT_EQ(values(), "0: " + path() + ": is no regular file");
    std::filesystem::remove(path());
    ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
    EXPECT_EQ(append({entry("a")}), path() + ": is no regular file");
    EXPECT_EQ(values(), "0: " + path() + ": is no regular file");
    std::filesystem::remove(path());
    ASSERT_EQ(symlink("nothing", path().c_str()), 0);
    EXPECT_NE(append({entry("a")}), "") << "a link to nothing";
    EXPECT_FALSE(std::filesystem::exists(directory() + "/nothing"));
}

TEST_F(JournalFile, RefusesALineThatIsTooLong) {
    ASSERT_EQ(append({entry("a")}), "");
    EXPECT_NE(append({entry("b"), entry(std::string(4096, 'x'))}).find("too long"),
              std::string::npos);
    EXPECT_EQ(values(), "a") << "nothing of the call";
}

TEST_F(JournalFile, AnUnfinishedLineIsNotReadAndThenCutOff) {
    const std::string next = line("b");
    for (std::size_t size = 1; size < next.size(); ++size) {
        write(line("a") + next.substr(0, size));
        ASSERT_EQ(values(), "a") << size;
        ASSERT_EQ(append({entry("c")}), "");
        ASSERT_EQ(read(), line("a") + line("c")) << size;
    }
    write(next.substr(0, 20));
    EXPECT_EQ(values(), "");
    ASSERT_EQ(append({entry("c")}), "");
    EXPECT_EQ(read(), line("c"));
}

TEST_F(JournalFile, TellsWhichLineIsDamaged) {
    std::string text = line("a") + line("b") + line("c");
    text[line("a").size() + 30] ^= 1;
    write(text);
    EXPECT_EQ(values().substr(0, 14), "a 2: checksum ");
}

TEST_F(JournalFile, EveryFlippedBitIsDetected) {
    const std::string text = line("a") + line("b");
    write(text);
    const int fd = open(path().c_str(), O_WRONLY);
    ASSERT_GE(fd, 0);
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        const auto at = static_cast<off_t>(bit / 8);
        const char flipped = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
        ASSERT_EQ(pwrite(fd, &flipped, 1, at), 1);
        ASSERT_NE(values().find(": "), std::string::npos) << bit << ": " << read();
        ASSERT_EQ(pwrite(fd, &text[bit / 8], 1, at), 1);
    }
    close(fd);
    EXPECT_EQ(values(), "a b");
}

TEST_F(JournalFile, NothingIsAppendedToAnEndThatIsNoLine) {
    std::string text = line("a") + line("b");
    text.back() = 'X';
    write(text);
    EXPECT_NE(append({entry("c")}).find("line feed"), std::string::npos);
    EXPECT_EQ(read(), text);
    write(line("a") + std::string(5000, 'x'));
    EXPECT_NE(append({entry("c")}), "");
    EXPECT_EQ(values().substr(0, 5), "a 2: ");
    write(line("a") + std::string(4096, 'x'));
    EXPECT_NE(append({entry("c")}), "");
    write(line("a") + std::string(4095, 'x'));
    EXPECT_EQ(append({entry("c")}), "") << "may be the beginning of a line";
    EXPECT_EQ(values(), "a c");
}

TEST_F(JournalFile, ReadsFilesLargerThanItsBuffer) {
    std::string text;
    std::string wanted;
    for (int i = 0; i < 20000; ++i) {
        const std::string value =
            std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), 'v');
        text += line(value);
        wanted += (i == 0 ? "" : " ") + value;
    }
    write(text);
    EXPECT_EQ(values(), wanted);
    // A line over the end of the buffer, and one that ends exactly there.
    for (std::size_t fill = 0; fill < 3; ++fill) {
        std::string large;
        while (large.size() + 200 < (256 << 10)) large += line("v");
        const std::size_t left = (256 << 10) - large.size() - line("").size() + fill;
        large += line(std::string(left, 'w')) + line("z");
        write(large);
        EXPECT_TRUE(values().ends_with("w z")) << fill;
    }
}

TEST_F(JournalFile, IsOnTheDiskBeforeAnAppendReturns) {
    const SyncLog log;
    ASSERT_EQ(append({entry("a")}), "");
    ASSERT_FALSE(log.synced().empty());
    EXPECT_EQ(log.synced().back().name, path());
    EXPECT_EQ(log.synced().back().size, line("a").size()) << "after the last write";
    EXPECT_EQ(log.synced().front().name, directory()) << "its name too";
}

TEST_F(JournalFile, SyncsTheDirectoryOfAFileThatSomebodyElseCreated) {
    write("");
    const SyncLog log;
    ASSERT_EQ(append({entry("a")}), "");
    EXPECT_EQ(log.synced().front().name, directory());
}

TEST_F(JournalFile, CompactionLeavesOutWhatHasExpiredAndWhatIsCovered) {
    const auto with = [](const char* value, std::uint32_t until, std::uint32_t expires,
                         RevocationKind kind = RevocationKind::kSubject) {
        JournalEntry e = entry(value);
        e.kind = kind;
        e.issued_until = until;
        e.expires = expires;
        return e;
    };
    const std::vector<JournalEntry> keep{
        with("new", 200, 2000),
        with("long", 100, 3000),
        with("long", 200, 2000),  // neither covers the other
        with("for ever", 100, kNeverForgotten),
        with("new", 100, 1500, RevocationKind::kSession),
        with("just", 1, 1001),
    };
    ASSERT_EQ(append({with("new", 100, 1500), with("gone", kEveryInstant, 1000)}), "");
    ASSERT_EQ(append(keep), "");
    ASSERT_EQ(append({with("new", 200, 2000), with("new", 150, 1999), with("for ever", 50, 5000)}),
              "");
    chmod(path().c_str(), 0604);
    struct stat before {};
    struct stat after {};
    stat(path().c_str(), &before);

    const auto count = compact_journal(path(), 1000);
    ASSERT_TRUE(count) << count.error();
    EXPECT_EQ(*count, 5U);
    std::vector<JournalEntry> left;
    ASSERT_TRUE(read_journal(path(), [&](const JournalEntry& e) { left.push_back(e); }));
    EXPECT_EQ(left, keep);
    stat(path().c_str(), &after);
    EXPECT_NE(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_mode, before.st_mode);
    EXPECT_EQ(names(), "journal");

    const auto again = compact_journal(path(), 1000);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, 0U);
}

TEST_F(JournalFile, CompactionIsOnTheDiskBeforeItReturns) {
    ASSERT_EQ(append({entry("a"), entry("a")}), "");
    const SyncLog log;
    ASSERT_TRUE(compact_journal(path(), 0));
    ASSERT_EQ(log.synced().size(), 2U);
    EXPECT_EQ(log.synced()[0].size, line("a").size()) << "the new file";
    EXPECT_EQ(log.synced()[1].name, directory()) << "then its name";
}

TEST_F(JournalFile, CompactionOfADamagedOneIsRefused) {
    std::string text = line("a") + line("a") + line("b");
    text[text.size() - 5] ^= 1;
    write(text);
    const auto count = compact_journal(path(), 0);
    ASSERT_FALSE(count);
    EXPECT_TRUE(count.error().starts_with(path() + ":3: checksum")) << count.error();
    EXPECT_EQ(read(), text);
    EXPECT_FALSE(compact_journal(directory() + "/none", 0));
    EXPECT_EQ(names(), "journal");
}

TEST_F(JournalFile, CompactionFollowsALinkAndClearsAwayWhatADeadOneLeft) {
    ASSERT_EQ(append({entry("a"), entry("a")}), "");
    const std::string link = directory() + "/link";
    ASSERT_EQ(symlink("journal", link.c_str()), 0);
    write("rubbish", "journal.compact");
    ASSERT_TRUE(compact_journal(link, 0));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(values(), "a");
    EXPECT_EQ(names(), "journal link");
}

}  // namespace
}  // namespace gate::cache
