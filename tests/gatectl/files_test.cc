#include "gatectl/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gatectl/process.h"
#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

class FileChangeTest : public DirectoryTest {
protected:
    // Replaces a file's text; "" where that worked.
    std::string replace(const std::string& name, std::string_view text) const {
        const auto change = FileChange::begin(path(name), 0);
        if (!change) return change.error();
        const auto done = change->commit(text);
        return done ? "" : done.error();
    }
    mode_t mode(const std::string& name) const {
        struct stat status {};
        EXPECT_EQ(lstat(path(name).c_str(), &status), 0);
        return status.st_mode & 07777;
    }
};

TEST_F(FileChangeTest, MakesANewFilePrivate) {
    EXPECT_EQ(replace("f", "one"), "");
    EXPECT_EQ(read("f"), "one");
    EXPECT_EQ(mode("f"), 0600u);
    EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(FileChangeTest, KeepsTheModeAndReplacesTheInode) {
    write("f", "one");
    ASSERT_EQ(chmod(path("f").c_str(), 0640), 0);
    struct stat before {};
    ASSERT_EQ(stat(path("f").c_str(), &before), 0);
    EXPECT_EQ(replace("f", "two"), "");
    struct stat after {};
    ASSERT_EQ(stat(path("f").c_str(), &after), 0);
    EXPECT_EQ(read("f"), "two");
    EXPECT_EQ(mode("f"), 0640u);
    EXPECT_NE(before.st_ino, after.st_ino);
}

TEST_F(FileChangeTest, KeepsTheOwner) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    write("f", "one");
    ASSERT_EQ(chown(path("f").c_str(), 12345, 54321), 0);
    EXPECT_EQ(replace("f", "two"), "");
    struct stat after {};
    ASSERT_EQ(stat(path("f").c_str(), &after), 0);
    EXPECT_EQ(after.st_uid, 12345u);
    EXPECT_EQ(after.st_gid, 54321u);
}

TEST_F(FileChangeTest, RemovesWhatAKilledProcessLeft) {
    write("f", "one");
    write(".f.gatectl", "half");
    EXPECT_EQ(replace("f", "two"), "");
    EXPECT_EQ(read("f"), "two");
    EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(FileChangeTest, ChangesTheTargetOfALink) {
    write("target", "one");
    ASSERT_EQ(symlink("target", path("link").c_str()), 0);
    EXPECT_EQ(replace("link", "two"), "");
    EXPECT_EQ(read("target"), "two");
    EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
}

TEST_F(FileChangeTest, RefusesALinkToNothing) {
    ASSERT_EQ(symlink("gone", path("link").c_str()), 0);
    EXPECT_EQ(replace("link", "two"), path("link") + ": is a link to nothing");
}

TEST_F(FileChangeTest, RefusesWhatIsNoFile) {
    const auto change = FileChange::begin(path("."), 0);
    ASSERT_TRUE(change);  // the directory by its real name
    const auto text = change->read(10);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error(), path(".") + ": is no regular file");
    EXPECT_FALSE(FileChange::begin("/", 0));
    EXPECT_EQ(replace("none/f", "x"), path("none/") + ": No such file or directory");
}

TEST_F(FileChangeTest, HoldsOthersOffUntilItEnds) {
    {
        const auto first = FileChange::begin(path("f"), 0);
        ASSERT_TRUE(first);
        const auto second = FileChange::begin(path("f"), 30);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error(),
                  path("f") + ": another process is changing this directory's key files");
    }
    EXPECT_TRUE(FileChange::begin(path("f"), 0));
}

TEST_F(FileChangeTest, ReadsWhatIsThere) {
    const auto change = FileChange::begin(path("f"), 0);
    ASSERT_TRUE(change);
    const auto none = change->read(10);
    ASSERT_TRUE(none);
    EXPECT_EQ(*none, std::nullopt);
    write("f", std::string(10, 'x'));
    EXPECT_EQ(**change->read(10), std::string(10, 'x'));
    const auto longer = change->read(9);
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error(), path("f") + ": is larger than 0 KiB");
}

TEST_F(FileChangeTest, FailsWithoutTouchingTheFileWhereItCannotWrite) {
    if (geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
    write("f", "one");
    ASSERT_EQ(chmod(path("").c_str(), 0500), 0);
    EXPECT_EQ(replace("f", "two"), path("f") + ": Permission denied");
    ASSERT_EQ(chmod(path("").c_str(), 0700), 0);
    EXPECT_EQ(read("f"), "one");
}

TEST_F(FileChangeTest, ReadFileRefusesAFifoAtOnce) {
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    const auto text = read_file(path("fifo"), 10);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error(), path("fifo") + ": is no regular file");
}

TEST(RunProgram, GivesStatusAndBothStreams) {
    const auto run =
        run_program({"sh", "-c", "echo out; echo $GATE_X >&2; exit 3"}, {"GATE_X", "value"});
    ASSERT_TRUE(run);
    EXPECT_EQ(run->status, 3);
    EXPECT_EQ(run->output, "out\nvalue\n");
}

TEST(RunProgram, TellsAMissingProgramAndASignal) {
    const auto missing = run_program({"/nonexistent/program"}, {"GATE_X", ""});
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->status, 127);
    EXPECT_EQ(missing->output, "/nonexistent/program: No such file or directory\n");
    const auto killed = run_program({"sh", "-c", "kill -9 $$"}, {"GATE_X", ""});
    ASSERT_TRUE(killed);
    EXPECT_EQ(killed->status, 137);
}

}  // namespace
}  // namespace gate::ctl
