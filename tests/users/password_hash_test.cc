#include "users/password_hash.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/users/sample_user.h"

namespace gate::users {
namespace {

using Clock = std::chrono::steady_clock;

struct Vector {
    std::string_view hash;
    std::string_view password;
};

// Of each kind one. sha-crypt.txt (Drepper; openssl passwd -5 and -6 make the same),
// crypt_blowfish's wrapper.c, httpd's "Password Formats", and for scrypt libsodium's tests.
// yescrypt is what perl's crypt() made, and gost-yescrypt.
constexpr std::array kVectors{
    Vector{"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
           "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
           "Hello world!"},
    Vector{"$6$rounds=10000$saltstringsaltst$OW1/"
           "O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
           "Hello world!"},
    Vector{"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
    Vector{"$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
           "Hello world!"},
    Vector{"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
    Vector{"$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "myPassword"},
    Vector{"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
           "pleaseletmein"},
    Vector{"$y$j9T$abcdefgh$WtA2I5exIyQv5b7uDMgPs3N8zOQY6ZtcplRdKJSUiBC", "Hello world!"},
    Vector{"$gy$j9T$abcdefgh$o6JxbYwWSRVr/SQ1Jr61OgleF50cJrtWq8AW/G6gP35", "Hello world!"},
    Vector{"$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "myPassword"},
    Vector{"{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "myPassword"},
    Vector{"{SSHA}M8XN+MyCuGNn0qVHAt++nhI4sBNzYWx0", "Hello world!"}};

// Cheap ones, of a password of 72 octets; perl's crypt().
constexpr std::string_view kBcrypt72 =
    "$2b$05$XXXXXXXXXXXXXXXXXXXXXOOylqCZgdGbrCLr1KRRTMBbd8dkVbFD.";
const std::string kText72 =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

std::string error_of(std::string_view hash) {
    const auto usable = usable_hash(hash);
    return usable ? "" : usable.error();
}

TEST(PasswordVerify, KnowsPublishedVectors) {
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(error_of(vector.hash), "") << vector.hash;
        EXPECT_TRUE(verify(vector.hash, vector.password)) << vector.hash;
    }
}

TEST(PasswordVerify, RefusesOtherPasswords) {
    for (const Vector& vector : kVectors) {
        const std::string password(vector.password);
        EXPECT_FALSE(verify(vector.hash, password + "x")) << vector.hash;
        EXPECT_FALSE(verify(vector.hash, password.substr(1))) << vector.hash;
    }
}

TEST(PasswordVerify, ANulNeverShortensAPassword) {
    for (const Vector& vector : kVectors) {
        const std::string password(vector.password);
        EXPECT_FALSE(verify(vector.hash, password + '\0')) << vector.hash;
        EXPECT_FALSE(verify(vector.hash, password + '\0' + "more")) << vector.hash;
        EXPECT_FALSE(verify(vector.hash, std::string(1, '\0'))) << vector.hash;
    }
}

TEST(PasswordVerify, RefusesTheEmptyPassword) {
    // perl's crypt(), and base64 of SHA-1 of nothing
    EXPECT_FALSE(verify("$5$abc$bBHLwRRW2Li0XKaX13kz/g2fkDil4Jx46aNvd.48MS8", ""));
    EXPECT_FALSE(verify("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", ""));
}

TEST(PasswordVerify, BcryptNeverReadsOnlyTheBeginning) {
    EXPECT_TRUE(verify(kBcrypt72, kText72));
    EXPECT_FALSE(verify(kBcrypt72, kText72 + "x"));
    EXPECT_FALSE(verify(kBcrypt72, kText72.substr(0, 71)));
}

TEST(PasswordVerify, TakesPasswordsOfUpTo511Octets) {
    const auto hash = make_hash(std::string(kMaxPassword, 'p'), HashMethod::kSha512, 5000);
    ASSERT_TRUE(hash) << hash.error();
    EXPECT_TRUE(verify(*hash, std::string(kMaxPassword, 'p')));
    EXPECT_FALSE(verify(*hash, std::string(kMaxPassword + 1, 'p')));
    EXPECT_FALSE(verify(*hash, std::string(100000, 'p')));
    EXPECT_FALSE(verify("{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", std::string(100000, 'p')));
}

TEST(PasswordVerify, FailuresOfCryptMatchNothing) {
    for (const std::string_view hash : {"*0", "*1", "", "x", "$6$", "$y$j9T$abcdefgh$", "!", "*"}) {
        EXPECT_FALSE(verify(hash, "*0")) << hash;
        EXPECT_FALSE(verify(hash, "*1")) << hash;
        EXPECT_FALSE(verify(hash, hash)) << hash;
    }
}

Clock::duration time_of(std::string_view hash, const std::string& password) {
    auto least = Clock::duration::max();
    for (int i = 0; i < 5; ++i) {
        const auto start = Clock::now();
        EXPECT_FALSE(verify(hash, password));
        least = std::min(least, Clock::now() - start);
    }
    return least;
}

TEST(PasswordVerify, CostsAsMuchWhereThePasswordCannotMatch) {
    const auto wrong = time_of(kBcrypt72, "wrong");
    for (const std::string& password :
         {std::string(), std::string("a\0b", 3), kText72 + "x", std::string(10000, 'x')}) {
        EXPECT_GT(time_of(kBcrypt72, password), wrong / 2) << password.size();
    }
}

TEST(PasswordVerify, RunsInSeveralThreads) {
    std::vector<std::thread> threads;
    std::array<int, 4> right{};
    for (std::size_t i = 0; i < right.size(); ++i) {
        threads.emplace_back([&right, i] {
            for (const Vector& vector : kVectors) {
                right[i] += verify(vector.hash, vector.password) ? 1 : 0;
                right[i] += verify(vector.hash, "wrong") ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const int count : right) EXPECT_EQ(count, 2 * kVectors.size());
}

TEST(PasswordUsable, NamesWhatIsRefusedAndTheRemedy) {
    const std::string remedy = "; set a new password with \"gatectl user passwd\"";
    EXPECT_EQ(error_of(""), "is missing" + remedy);
    EXPECT_EQ(error_of("!"), "is locked, and no password matches it" + remedy);
    EXPECT_EQ(error_of("*"), "is locked, and no password matches it" + remedy);
    EXPECT_EQ(error_of("!" + kHash), "is locked, and no password matches it" + remedy);
    EXPECT_EQ(error_of("$1$salt$7e5ykLjIAUrqLDs85PpLg1"),
              "is made by md5crypt ($1$), which is guessed quickly" + remedy);
    EXPECT_EQ(error_of("{PLAIN}secret"), "is the password itself" + remedy);
    EXPECT_EQ(error_of("secret"), "is no hash but perhaps the password itself" + remedy);
    EXPECT_EQ(
        error_of("abJnggxhB/yWI"),
        "is a traditional DES hash, of which 8 octets count, or the password itself" + remedy);
    EXPECT_EQ(error_of("$sha1$24680$a$b"), "is of a kind that is not supported" + remedy);
    EXPECT_EQ(error_of("$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
              "is of a kind that is not supported" + remedy);
    EXPECT_EQ(error_of("{CRYPT}x"), "is of a kind that is not supported" + remedy);
    EXPECT_EQ(error_of("_J9..rasmBYk8r9AiWNc"), "is of a kind that is not supported" + remedy);
}

TEST(PasswordUsable, RefusesDamagedHashes) {
    for (const Vector& vector : kVectors) {
        const std::string hash(vector.hash);
        EXPECT_NE(error_of(hash.substr(0, hash.size() - 1)), "") << hash;
        EXPECT_NE(error_of(hash + "/"), "") << hash;
        EXPECT_NE(error_of(hash + "\n"), "") << hash;
        EXPECT_NE(error_of(" " + hash), "") << hash;
        std::string with_nul = hash;
        with_nul[8] = '\0';
        EXPECT_NE(error_of(with_nul), "") << hash;
    }
    EXPECT_NE(error_of("$6$salt!" + kHash.substr(kHash.rfind('$'))), "");
    EXPECT_NE(error_of("$6$" + std::string(200, 's') + kHash.substr(kHash.rfind('$'))), "");
    EXPECT_NE(error_of("$6$"), "");
}

TEST(PasswordUsable, RefusesWhatNobodyCouldBear) {
    const std::string costly =
        "has parameters that are wrong or cost too much; set a new password "
        "with \"gatectl user passwd\"";
    const std::string sha512 = kHash.substr(kHash.rfind('$'));
    const std::string digits43(43, 'a');
    const std::string digits53(53, 'a');
    EXPECT_EQ(error_of("$6$rounds=5000000$s" + sha512), "");
    EXPECT_EQ(error_of("$6$rounds=5000001$s" + sha512), costly);
    EXPECT_EQ(error_of("$6$rounds=99999999999$s" + sha512), costly);
    EXPECT_EQ(error_of("$6$rounds=1000$s" + sha512), "");
    EXPECT_EQ(error_of("$6$rounds=999$s" + sha512), costly);
    EXPECT_EQ(error_of("$2b$16$" + digits53), "");
    EXPECT_EQ(error_of("$2b$17$" + digits53), costly);
    // What crypt_gensalt() makes of 9 and 10.
    EXPECT_EQ(error_of("$y$jDT$salt$" + digits43), "");
    EXPECT_EQ(error_of("$y$jET$salt$" + digits43), costly);
    EXPECT_EQ(error_of("$y$j9zz$salt$" + digits43), costly);
    EXPECT_EQ(error_of("$y$x9T$salt$" + digits43), costly);
    EXPECT_EQ(error_of("$y$jz.$salt$" + digits43), costly);
    EXPECT_EQ(error_of("$y$j.z$salt$" + digits43), costly);
    EXPECT_EQ(error_of("$7$EU..../....salt$" + digits43), "");
    EXPECT_EQ(error_of("$7$FU..../....salt$" + digits43), costly);
    EXPECT_EQ(error_of("$7$CUzzzz/....salt$" + digits43), costly);
    EXPECT_EQ(error_of("$7$C.....zzzzzsalt$" + digits43), costly);
    EXPECT_EQ(error_of("$7$zU..../....salt$" + digits43), costly);
    EXPECT_EQ(error_of("$7$CU$" + digits43), costly);
}

TEST(PasswordWeak, IsWhatIsGuessedQuickly) {
    EXPECT_TRUE(is_weak("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"));
    EXPECT_TRUE(is_weak("{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="));
    EXPECT_TRUE(is_weak("{SSHA}M8XN+MyCuGNn0qVHAt++nhI4sBNzYWx0"));
    EXPECT_FALSE(is_weak(kHash));
    EXPECT_FALSE(is_weak(kBcrypt72));
    EXPECT_EQ(scheme_of("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"), "$apr1$");
    EXPECT_EQ(scheme_of(kHash), "$6$");
    EXPECT_EQ(scheme_of("secret"), "");
}

TEST(PasswordMake, IsVerified) {
    for (const auto& [method, cost, prefix] : {std::tuple{HashMethod::kYescrypt, 1u, "$y$j75$"},
                                               {HashMethod::kBcrypt, 10u, "$2b$10$"},
                                               {HashMethod::kSha512, 5001u, "$6$rounds=5001$"}}) {
        const auto hash = make_hash("correct horse", method, cost);
        ASSERT_TRUE(hash) << hash.error();
        EXPECT_TRUE(hash->starts_with(prefix)) << *hash;
        EXPECT_TRUE(verify(*hash, "correct horse"));
        EXPECT_FALSE(verify(*hash, "correct hors"));
        EXPECT_NE(*make_hash("correct horse", method, cost), *hash);
    }
}

TEST(PasswordMake, HasDefaults) {
    EXPECT_TRUE(make_hash("x")->starts_with("$y$j9T$"));
    EXPECT_TRUE(make_hash("x", HashMethod::kSha512)->starts_with("$6$rounds=200000$"));
    EXPECT_EQ(find_hash_method("yescrypt"), HashMethod::kYescrypt);
    EXPECT_EQ(find_hash_method("bcrypt"), HashMethod::kBcrypt);
    EXPECT_EQ(find_hash_method("sha512"), HashMethod::kSha512);
    EXPECT_EQ(find_hash_method("md5"), std::nullopt);
}

TEST(PasswordMake, RefusesWhatVerifyNeverAccepts) {
    EXPECT_EQ(make_hash("").error(), "a password must not be empty");
    EXPECT_EQ(make_hash(std::string(512, 'x')).error(), "a password has at most 511 octets");
    EXPECT_EQ(make_hash(std::string("a\0b", 3)).error(), "a password must not have a NUL in it");
    EXPECT_EQ(make_hash(kText72 + "x", HashMethod::kBcrypt).error(),
              "bcrypt takes passwords of at most 72 octets");
    EXPECT_TRUE(make_hash(kText72 + "x", HashMethod::kSha512, 5000));
}

TEST(PasswordMake, RefusesCostsOutOfRange) {
    EXPECT_EQ(make_hash("x", HashMethod::kYescrypt, 10).error(),
              "the cost of yescrypt is a number from 1 to 9");
    EXPECT_EQ(make_hash("x", HashMethod::kBcrypt, 9).error(),
              "the cost of bcrypt is a number from 10 to 16");
    EXPECT_EQ(make_hash("x", HashMethod::kSha512, 4999).error(),
              "the cost of sha512 is a number from 5000 to 5000000");
}

}  // namespace
}  // namespace gate::users
