#include "redis/reply_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/redis/outcome.h"

namespace gate::redis {
namespace {

using namespace std::literals;
using namespace test;
using Step = ReplyReader::Step;

TEST(ReplyReader, ReadsEveryType) {
    for (const std::string_view octets :
         {"+OK\r\n"sv, "+\r\n"sv, "-ERR no\r\n"sv, "-\r\n"sv, ":0\r\n"sv, ":-1\r\n"sv,
          ":1000\r\n"sv, "$0\r\n\r\n"sv, "$5\r\na\r\nb\0\r\n"sv, "$-1\r\n"sv, "*0\r\n"sv,
          "*3\r\n:1\r\n*2\r\n+a\r\n-b\r\n$1\r\nc\r\n"sv, "+\x01\xff\0\r\n"sv,
          "*5\r\n$-1\r\n*0\r\n*1\r\n*0\r\n+\r\n:5\r\n"sv}) {
        EXPECT_TRUE(good(octets)) << outcome(octets);
    }
    EXPECT_EQ(outcome("*-1\r\n*1\r\n*-1\r\n"), "<$-1\r\n><*1\r\n$-1\r\n> waits behind 0");
}

TEST(ReplyReader, FillsTheTree) {
    ReplyReader reader;
    reader.feed("*4\r\n$3\r\nkey\r\n:-7\r\n*2\r\n+OK\r\n-ERR x\r\n$-1\r\n");
    Reply reply;
    ASSERT_EQ(reader.next(reply), Step::kReply);
    ASSERT_TRUE(reply.is(Reply::Type::kArray));
    ASSERT_EQ(reply.items.size(), 4u);
    EXPECT_EQ(reply.items[0].type, Reply::Type::kString);
    EXPECT_EQ(reply.items[0].text, "key");
    EXPECT_EQ(reply.items[1].integer, -7);
    ASSERT_EQ(reply.items[2].items.size(), 2u);
    EXPECT_TRUE(reply.items[2].items[0].is_status("OK"));
    EXPECT_FALSE(reply.items[2].items[1].is_status("ERR x"));
    EXPECT_EQ(reply.items[2].items[1].type, Reply::Type::kError);
    EXPECT_EQ(reply.items[3].type, Reply::Type::kNil);
    EXPECT_EQ(reader.next(reply), Step::kMore);
}

TEST(ReplyReader, OverwritesTheReplyThatItIsGiven) {
    ReplyReader reader;
    reader.feed("*2\r\n:1\r\n:2\r\n:3\r\n+x\r\n");
    Reply reply = error("before");
    for (const char* expected : {"*2\r\n:1\r\n:2\r\n", ":3\r\n", "+x\r\n"}) {
        ASSERT_EQ(reader.next(reply), Step::kReply);
        EXPECT_EQ(encode(reply), expected);
        EXPECT_EQ(reply.items.size(), reply.is(Reply::Type::kArray) ? 2u : 0u);
    }
}

TEST(ReplyReader, ReadsTheSameHoweverTheOctetsAreCut) {
    const std::string streams[] = {
        "+OK\r\n:-12\r\n$3\r\na\r\n\r\n*2\r\n*-1\r\n$-1\r\n-ERR x\r\n$0\r\n\r\n",
        "*2\r\n$6\r\nstatus\r\n$6\r\nactive\r\n$-1\r\n*0\r\n",
        "+OK\r\n:1\r\n:01\r\n",
        "+OK\r\n$2\r\nabXX",
        "+OK\r\n$3000000\r\nabc",
        "*1\r\n" + times("*1\r\n", 10) + "+x\r\n",
        "+OK\r\nHTTP/1.1 400 Bad Request\r\n\r\n",
        "*2\r\n$1\r\na\r\n>1\r\n+x\r\n",
        "$-1\r\n$-2\r\n",
        "-" + std::string(70, 'x') + "\r\n+" + std::string(90, 'y') + "\r\n",
    };
    const ReplyLimits limits{.octets = 80};
    for (const std::string& stream : streams) {
        const std::string_view octets = stream;
        const std::string whole = outcome(octets, limits);
        std::vector<std::string_view> single;
        for (std::size_t i = 0; i < octets.size(); ++i) {
            single.push_back(octets.substr(i, 1));
            EXPECT_EQ(outcome({octets.substr(0, i), octets.substr(i)}, limits), whole) << i;
            for (std::size_t j = i; j < octets.size(); ++j) {
                ASSERT_EQ(outcome({octets.substr(0, i), octets.substr(i, j - i), octets.substr(j)},
                                  limits),
                          whole)
                    << i << " " << j;
            }
        }
        EXPECT_EQ(outcome(single, limits), whole);
    }
}

TEST(ReplyReader, StaysBroken) {
    ReplyReader reader;
    reader.feed("+OK\r\nx");
    Reply reply;
    ASSERT_EQ(reader.next(reply), Step::kReply);
    ASSERT_EQ(reader.next(reply), Step::kBroken);
    const std::string problem = reader.problem();
    EXPECT_EQ(problem, "\"x\" where a reply begins");
    reader.feed("+OK\r\n");
    EXPECT_EQ(reader.next(reply), Step::kBroken);
    EXPECT_EQ(reader.problem(), problem);
    EXPECT_EQ(reader.pending(), 1u);
}

TEST(ReplyReader, StartsAnewAfterReset) {
    ReplyReader reader({.octets = 30, .elements = 2, .depth = 0});
    Reply reply;
    for (const char* before : {"x", "*2\r\n$3\r\nab", "*2\r\n:1\r\n*", "+OK\r\n+OK\r\n", ":-",
                               "+ab\r", "$2\r\nab\r", "*3\r\n", "$99\r\n", ""}) {
        reader.feed(before);
        reader.next(reply);
        reader.reset();
        EXPECT_EQ(reader.pending(), 0u);
        EXPECT_EQ(reader.problem(), "");
        reader.feed("*2\r\n:1\r\n$1\r\nx\r\n");
        ASSERT_EQ(reader.next(reply), Step::kReply) << before << ": " << reader.problem();
        EXPECT_EQ(encode(reply), "*2\r\n:1\r\n$1\r\nx\r\n");
        reader.feed("*3\r\n");
        EXPECT_EQ(reader.next(reply), Step::kBroken) << "limits stay";
        reader.reset();
    }
}

TEST(ReplyReader, CountsWhatIsPending) {
    ReplyReader reader;
    Reply reply;
    EXPECT_EQ(reader.pending(), 0u);
    reader.feed("+OK\r\n:1");
    EXPECT_EQ(reader.pending(), 7u);
    ASSERT_EQ(reader.next(reply), Step::kReply);
    EXPECT_EQ(reader.pending(), 2u);
    EXPECT_EQ(reader.next(reply), Step::kMore);
    reader.feed("2\r\n");
    EXPECT_EQ(reader.pending(), 5u);
    ASSERT_EQ(reader.next(reply), Step::kReply);
    EXPECT_EQ(reply.integer, 12);
    EXPECT_EQ(reader.pending(), 0u);
}

TEST(ReplyReader, GoesOnWhereAnotherOneStopped) {
    ReplyReader first;
    first.feed("+OK\r\n*2\r\n:1");
    Reply reply;
    ASSERT_EQ(first.next(reply), Step::kReply);
    ReplyReader second = std::move(first);
    EXPECT_EQ(second.next(reply), Step::kMore);
    second.feed("\r\n:2\r\n");
    ASSERT_EQ(second.next(reply), Step::kReply);
    EXPECT_EQ(encode(reply), "*2\r\n:1\r\n:2\r\n");
    first = ReplyReader();
    first.feed(":7\r\n");
    ASSERT_EQ(first.next(reply), Step::kReply);
    EXPECT_EQ(reply.integer, 7);
}

TEST(ReplyReader, ReadsALargeReplyOctetByOctet) {
    const std::string large = "*2\r\n$200000\r\n" + std::string(200000, 'x') + "\r\n+" +
                              std::string(100000, 'y') + "\r\n";
    ReplyReader reader;
    Reply reply;
    for (std::size_t i = 0; i < large.size(); ++i) {
        ASSERT_EQ(reader.next(reply), Step::kMore);
        reader.feed({&large[i], 1});
    }
    ASSERT_EQ(reader.next(reply), Step::kReply);
    EXPECT_EQ(encode(reply), large);
}

Reply random_reply(std::mt19937_64& random, int depth) {
    const auto octets = [&](std::size_t size, bool any) {
        std::string text(random() % size, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
            if (!any && (c == '\r' || c == '\n')) c = ' ';
        }
        return text;
    };
    switch (random() % (depth > 0 ? 8 : 5)) {
        case 0:
            return nil();
        case 1:
            return status(octets(40, false));
        case 2:
            return error(octets(40, false));
        case 3:
            return integer(static_cast<std::int64_t>(random() >> random() % 64));
        case 4:
            return string(octets(random() % 50 == 0 ? 60000 : 40, true));
        default:
            break;
    }
    std::vector<Reply> items(random() % 6);
    for (Reply& item : items) item = random_reply(random, depth - 1);
    return array(std::move(items));
}

TEST(ReplyReader, ReadsWhatAServerMayWrite) {
    std::mt19937_64 random(1);
    ReplyReader reader;
    for (int round = 0; round < 2000; ++round) {
        std::string expected;
        for (int i = 0; i < 3; ++i) expected += encode(random_reply(random, 5));
        std::string read;
        for (std::string_view rest = expected; !rest.empty();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 3000, rest.size());
            reader.feed(rest.substr(0, size));
            rest.remove_prefix(size);
            Reply reply;
            while (reader.next(reply) == Step::kReply) read += encode(reply);
        }
        ASSERT_EQ(reader.problem(), "");
        ASSERT_EQ(read, expected);
        ASSERT_EQ(reader.pending(), 0u);
    }
}

}  // namespace
}  // namespace gate::redis
