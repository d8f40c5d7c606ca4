#include "users/user_table.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json_text.h"
#include "tests/users/sample_user.h"
#include "users/password_hash.h"

namespace gate::users {
namespace {

constexpr std::string_view kApr1 = "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/";

std::string user_of(const std::string& name, const std::string& hash = kHash) {
    return "{\"name\":" + json_string(name) + ",\"password\":\"" + hash + "\"}";
}

std::string file_of(const std::string& users) {
    return "{\"version\":1,\"users\":[" + users + "]}";
}

std::string error_of(const std::string& text) {
    const auto table = UserTable::parse(text);
    return table ? "" : table.error();
}

// A hash of the same form whose digits are others.
std::string hash_number(int number) {
    std::string digits = std::to_string(number);
    digits.insert(0, 43 - digits.size(), '.');
    return "$5$salt$" + digits;
}

TEST(UserTable, FindsUsersOfJsonByName) {
    const auto table = UserTable::parse(" \n" + file_of(user_of("bob") + "," + user_of("eve")));
    ASSERT_TRUE(table) << table.error();
    ASSERT_EQ(table->users().size(), 2u);
    ASSERT_NE(table->find("eve"), nullptr);
    EXPECT_EQ(table->find("eve")->name, "eve");
    EXPECT_EQ(table->find("Eve"), nullptr);
    EXPECT_EQ(table->find(""), nullptr);
    EXPECT_EQ(table->find(std::string("eve\0", 4)), nullptr);
    EXPECT_TRUE(UserTable::parse("{\"users\":[]}"));
}

TEST(UserTable, ReadsHtpasswd) {
    const auto table = UserTable::parse("# people\n\nbob:" + kHash + "\r\n \t\neve:" + kHash +
                                        ":1000:comment\nal ice:" + kHash);
    ASSERT_TRUE(table) << table.error();
    ASSERT_EQ(table->users().size(), 3u);
    for (const auto& user : table->users()) {
        EXPECT_EQ(user->password, kHash);
        EXPECT_EQ(user->status, UserStatus::kActive);
    }
    EXPECT_NE(table->find("al ice"), nullptr);
    EXPECT_TRUE(UserTable::parse(""));
    EXPECT_TRUE(UserTable::parse("\n"));
}

TEST(UserTable, RefusesABrokenFile) {
    EXPECT_EQ(error_of("{\"users\":[}"), "not strict JSON (json_bad)");
    EXPECT_EQ(error_of("{\"users\":{}}"), "member \"users\" must be an array of users");
    EXPECT_EQ(error_of("{\"users\":[],\"keys\":[]}"),
              "member \"keys\" is unknown; known are version, users");
    EXPECT_EQ(error_of("{\"version\":2,\"users\":[]}"), "member \"version\" must be 1");
    EXPECT_EQ(error_of(file_of(user_of("bob") + ",7")), "user 2: a user must be an object");
    EXPECT_EQ(error_of(file_of(user_of("bob", "x"))),
              "user 1 (\"bob\"): member \"password\" is wrong: the hash is no hash but perhaps the "
              "password itself; set a new password with \"gatectl user passwd\"");
    EXPECT_EQ(error_of("bob:" + kHash + "\nsecret"), "line 2: is not name:hash");
    EXPECT_EQ(error_of("\xff:" + kHash), "line 1: a name is UTF-8");
    EXPECT_EQ(error_of(":" + kHash), "line 1: a name has 1 to 256 octets");
    EXPECT_EQ(
        error_of("\nbob:secret\n"),
        "line 2: user \"bob\": the hash is no hash but perhaps the password itself; set a new "
        "password with \"gatectl user passwd\"");
}

TEST(UserTable, RefusesTwoUsersOfOneName) {
    EXPECT_EQ(error_of(file_of(user_of("bob") + "," + user_of("bob"))),
              "user 2 (\"bob\"): another user has the same name");
    EXPECT_EQ(error_of("bob:" + kHash + "\n#\nbob:" + kHash),
              "line 3: another user has the name \"bob\"");
}

TEST(UserTable, ErrorsNeverHoldAHash) {
    for (const std::string& text :
         {kHash, kHash + ":bob", file_of(user_of(kHash, "bob")), file_of(user_of("a:b")),
          file_of("\"" + kHash + "\""), "bob:" + kHash + "x", "b:" + kHash + "\nb:" + kHash}) {
        EXPECT_NE(error_of(text), "");
        EXPECT_EQ(error_of(text).find("svn8Uo"), std::string::npos) << error_of(text);
    }
}

TEST(UserTable, NotesWeakHashes) {
    const auto table = UserTable::parse("bob:" + kHash + "\neve:" + std::string(kApr1));
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->notes(), (std::vector<std::string>{"user \"eve\" has a weak hash ($apr1$)"}));
}

TEST(UserTable, SurvivesBeingWritten) {
    const auto table = UserTable::parse("bob:" + kHash + "\neve:" + std::string(kApr1));
    ASSERT_TRUE(table) << table.error();
    const std::string text = UserTable::to_json(table->users());
    const auto again = UserTable::parse(text);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(UserTable::to_json(again->users()), text);
    EXPECT_EQ(UserTable::to_json({}), "{\"version\":1,\"users\":[\n]}\n");
}

TEST(UserTable, ADecoyIsAlwaysTheSameOneOfTheHashes) {
    std::string text;
    std::set<std::string, std::less<>> hashes;
    for (int i = 0; i < 50; ++i) {
        hashes.insert(hash_number(i));
        text += "user" + std::to_string(i) + ":" + hash_number(i) + "\n";
    }
    const auto table = UserTable::parse(text);
    ASSERT_TRUE(table) << table.error();
    const auto same = UserTable::parse(text);
    std::set<std::string, std::less<>> chosen;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "nobody" + std::to_string(i);
        const std::string_view decoy = table->decoy(name);
        EXPECT_TRUE(hashes.contains(decoy));
        EXPECT_EQ(table->decoy(name), decoy);
        EXPECT_EQ(same->decoy(name), decoy);
        chosen.insert(std::string(decoy));
    }
    EXPECT_EQ(chosen.size(), hashes.size());
}

TEST(UserTable, OtherHashesChooseOtherDecoys) {
    const auto one = UserTable::parse("a:" + hash_number(1) + "\nb:" + hash_number(2));
    const auto other = UserTable::parse("a:" + hash_number(1) + "\nb:" + hash_number(3));
    int differ = 0;
    for (int i = 0; i < 200; ++i) {
        const std::string name = "nobody" + std::to_string(i);
        differ += (one->decoy(name) == hash_number(1)) != (other->decoy(name) == hash_number(1));
    }
    EXPECT_GT(differ, 50);
}

TEST(UserTable, HasADecoyWithoutUsers) {
    const UserTable table;
    EXPECT_TRUE(usable_hash(table.decoy("bob")));
    EXPECT_TRUE(table.decoy("bob").starts_with("$y$"));
    EXPECT_FALSE(verify(table.decoy("bob"), "bob"));
    EXPECT_EQ(table.decoy("eve"), table.decoy("bob"));
    EXPECT_EQ(table.find("bob"), nullptr);
}

}  // namespace
}  // namespace gate::users
