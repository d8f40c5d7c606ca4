#include "redis/pipeline.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/redis/callers.h"

namespace gate::redis {
namespace {

using namespace test;

class PipelineTest : public testing::Test {
protected:
    // Sends one command for each name, and writes it.
    void ask(Recorder& caller, std::initializer_list<std::string_view> names = {"GET"}) {
        std::string commands;
        for (const std::string_view name : names) {
            commands.append("*1\r\n$").append(std::to_string(name.size())).append("\r\n");
            commands.append(name).append("\r\n");
        }
        pipeline.send(caller, now++, commands, names.size());
        write_all(pipeline);
    }

    std::string taken_log() { return std::exchange(log, ""); }

    std::string log;
    std::uint64_t now = 100;
    Pipeline pipeline;
    Recorder a{"a", log};
    Recorder b{"b", log};
    Recorder c{"c", log};
};

TEST_F(PipelineTest, GivesEachCallerItsReplies) {
    ask(a, {"HGETALL", "GET"});
    ask(b);
    ask(c, {"A", "B", "C"});
    EXPECT_TRUE(pipeline.receive("*0\r\n$1\r\nx\r\n:1\r\n+1\r\n-2\r\n"));
    EXPECT_EQ(taken_log(), "a: *0 $1\r\nx;b: :1;");
    EXPECT_EQ(pipeline.waiting(), 1u);
    EXPECT_TRUE(pipeline.receive(":3\r\n"));
    EXPECT_EQ(taken_log(), "c: +1 -2 :3;");
    EXPECT_EQ(pipeline.waiting(), 0u);
}

TEST_F(PipelineTest, WaitsForAllRepliesOfAnExchange) {
    ask(a, {"HGETALL", "GET"});
    EXPECT_TRUE(pipeline.receive("*0\r\n"));
    EXPECT_TRUE(pipeline.receive("$1\r"));
    EXPECT_EQ(log, "");
    EXPECT_TRUE(pipeline.receive("\nx\r\n"));
    EXPECT_EQ(log, "a: *0 $1\r\nx;");
}

TEST_F(PipelineTest, WritesCommandsInOrder) {
    pipeline.send(a, 1, {{"HGETALL", "k"}, {"GET", "e"}});
    const std::string first = "*2\r\n$7\r\nHGETALL\r\n$1\r\nk\r\n*2\r\n$3\r\nGET\r\n$1\r\ne\r\n";
    EXPECT_EQ(pipeline.output(), first);
    pipeline.send(b, 2, "*1\r\n$4\r\nPING\r\n", 1);
    EXPECT_EQ(pipeline.output(), first + "*1\r\n$4\r\nPING\r\n");
    pipeline.wrote(first.size() - 1);
    EXPECT_EQ(pipeline.output(), "\n*1\r\n$4\r\nPING\r\n");
    pipeline.wrote(1);
    pipeline.send(c, 3, {{"X"}});
    EXPECT_EQ(pipeline.output(), "*1\r\n$4\r\nPING\r\n*1\r\n$1\r\nX\r\n");
    write_all(pipeline);
    EXPECT_EQ(pipeline.output(), "");
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n:4\r\n"));
    EXPECT_EQ(log, "a: :1 :2;b: :3;c: :4;");
}

TEST_F(PipelineTest, KeepsTheOrderWhileItIsNeverQuiteWritten) {
    std::string expected;
    std::string written;
    std::string replies;
    for (int i = 0; i < 5000; ++i) {
        const std::string key(static_cast<std::size_t>(i % 40), 'k');
        pipeline.send(a, 1, {{"GET", key}});
        expected += "*2\r\n$3\r\nGET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
        const std::size_t size = pipeline.output().size() - 1;
        written += pipeline.output().substr(0, size);
        pipeline.wrote(size);
        // All but the last one, of which an octet is missing, may be answered; so may that.
        ASSERT_TRUE(pipeline.receive(":" + std::to_string(i) + "\r\n"));
        replies += "a: :" + std::to_string(i) + ";";
    }
    EXPECT_EQ(written + std::string(pipeline.output()), expected);
    EXPECT_EQ(log, replies);
}

TEST_F(PipelineTest, KnowsWhoWaitsLongest) {
    ask(a);
    ask(b);
    EXPECT_EQ(pipeline.waiting(), 2u);
    EXPECT_EQ(pipeline.oldest(), 100u);
    pipeline.forget(a);
    EXPECT_EQ(pipeline.waiting(), 2u);
    EXPECT_EQ(pipeline.oldest(), 100u);
    pipeline.receive(":1\r\n");
    EXPECT_EQ(pipeline.waiting(), 1u);
    EXPECT_EQ(pipeline.oldest(), 101u);
}

TEST_F(PipelineTest, BreaksOnASurplusReply) {
    EXPECT_FALSE(pipeline.receive("+OK\r\n"));
    EXPECT_EQ(pipeline.problem(), "a reply that nobody asked for");
    ask(c);
    EXPECT_FALSE(pipeline.receive(":1\r\n")) << "broken for good";
    EXPECT_EQ(pipeline.problem(), "a reply that nobody asked for");
    pipeline.fail(LinkFailure::kProtocol);
    EXPECT_EQ(taken_log(), "c! protocol;");
    ask(a);
    EXPECT_FALSE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_EQ(pipeline.problem(), "a reply that nobody asked for");
    EXPECT_EQ(log, "a: :1;");
}

TEST_F(PipelineTest, TakesNoReplyToWhatWasNotWritten) {
    ask(a);
    pipeline.send(b, 1, {{"GET", "b"}});
    EXPECT_FALSE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_EQ(pipeline.problem(), "a reply that nobody asked for");
    EXPECT_EQ(taken_log(), "a: :1;");
    pipeline.fail(LinkFailure::kProtocol);
    EXPECT_EQ(taken_log(), "b! protocol;");
    // Nor to what is sent from within an answer.
    ask(a);
    a.then = [&] { pipeline.send(b, 1, {{"GET", "b"}}); };
    EXPECT_FALSE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_EQ(taken_log(), "a: :1;");
}

TEST_F(PipelineTest, TakesRepliesToCommandsThatAreBeingWritten) {
    pipeline.send(a, 1, {{"GET", "a"}, {"GET", "b"}});
    pipeline.wrote(pipeline.output().size() / 2);
    EXPECT_TRUE(pipeline.receive(":1\r\n"));
    write_all(pipeline);
    EXPECT_TRUE(pipeline.receive(":2\r\n"));
    EXPECT_EQ(log, "a: :1 :2;");
}

TEST_F(PipelineTest, KnowsWhatWasWrittenWhenTheRestMoves) {
    pipeline.send(a, 1, {{"A"}});
    pipeline.send(b, 1, {{"B"}});
    pipeline.wrote(pipeline.output().size() - 1);
    const std::string longest(100000, 'x');
    pipeline.send(c, 1, {{longest}});
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_EQ(taken_log(), "a: :1;b: :2;");
    pipeline.wrote(1);
    EXPECT_FALSE(pipeline.receive(":3\r\n"));
}

TEST_F(PipelineTest, BreaksOnAMalformedReplyBehindGoodOnes) {
    ask(a);
    ask(b);
    EXPECT_FALSE(pipeline.receive(":1\r\nHTTP/1.1 400\r\n"));
    EXPECT_EQ(log, "a: :1;");
    EXPECT_EQ(pipeline.problem(), "\"H\" where a reply begins");
    EXPECT_FALSE(pipeline.receive(":2\r\n"));
    EXPECT_FALSE(pipeline.receive(""));
    EXPECT_EQ(pipeline.waiting(), 1u);
    pipeline.fail(LinkFailure::kProtocol);
    EXPECT_EQ(log, "a: :1;b! protocol;");
    EXPECT_EQ(pipeline.problem(), "\"H\" where a reply begins");
    EXPECT_TRUE(pipeline.receive(""));
    EXPECT_EQ(pipeline.problem(), "");
}

TEST_F(PipelineTest, HoldsRepliesToItsLimits) {
    Pipeline small({.octets = 10, .elements = 1, .depth = 0});
    small.send(a, 1, {{"X"}, {"Y"}, {"Z"}});
    write_all(small);
    EXPECT_TRUE(small.receive("+1234567\r\n*1\r\n:1\r\n"));
    EXPECT_FALSE(small.receive("*2\r\n"));
    EXPECT_EQ(small.problem(), "an array of 2 elements; at most 1 are taken");
}

TEST_F(PipelineTest, FailsEverybodyOnceAndInOrder) {
    for (const LinkFailure failure : {LinkFailure::kClosed, LinkFailure::kTimeout,
                                      LinkFailure::kProtocol, LinkFailure::kOverflow}) {
        ask(a, {"X", "Y"});
        ask(b);
        ask(a);
        pipeline.send(c, 1, {{"NOT", "WRITTEN"}});
        pipeline.receive(":1\r\n");
        pipeline.fail(failure);
        const std::string said = "! " + name_of(failure) + ";";
        EXPECT_EQ(taken_log(), "a" + said + "b" + said + "a" + said + "c" + said);
        EXPECT_EQ(pipeline.waiting(), 0u);
        EXPECT_EQ(pipeline.output(), "");
        pipeline.fail(failure);
        EXPECT_EQ(taken_log(), "");
    }
}

TEST_F(PipelineTest, StartsAnewAfterFailure) {
    ask(a, {"X", "Y"});
    pipeline.receive(":1\r\n*2\r\n$3\r\nab");
    pipeline.send(b, 1, {{"Z"}});
    pipeline.wrote(3);
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(taken_log(), "a! closed;b! closed;");
    // Nothing of the old connection is written, read or counted.
    pipeline.send(c, 1, {{"X"}});
    EXPECT_EQ(pipeline.output(), "*1\r\n$1\r\nX\r\n");
    EXPECT_FALSE(pipeline.receive(":9\r\n")) << "not written yet";
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(taken_log(), "c! closed;");
    ask(c);
    EXPECT_TRUE(pipeline.receive(":2\r\n"));
    EXPECT_EQ(taken_log(), "c: :2;");
}

TEST_F(PipelineTest, DropsRepliesOfWhoIsGone) {
    ask(a, {"X", "Y"});
    ask(b);
    ask(a);
    pipeline.forget(a);
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n"));
    EXPECT_EQ(taken_log(), "b: :3;");
    EXPECT_TRUE(pipeline.receive(":4\r\n"));
    EXPECT_EQ(taken_log(), "");
    EXPECT_EQ(pipeline.waiting(), 0u);
    EXPECT_FALSE(pipeline.receive(":5\r\n"));
}

TEST_F(PipelineTest, ForgetsAtAnyMoment) {
    // Octets that have arrived before a caller leaves; the rest comes after.
    const std::string octets = "*2\r\n:1\r\n$2\r\nab\r\n:2\r\n:3\r\n";
    const std::size_t answered = octets.size() - 4;  // a's two replies
    for (std::size_t cut = 0; cut <= octets.size(); ++cut) {
        auto leaving = std::make_unique<Recorder>("a", log);
        ask(*leaving, {"X", "Y"});
        ask(b);
        ASSERT_TRUE(pipeline.receive(std::string_view(octets).substr(0, cut)));
        pipeline.forget(*leaving);
        leaving.reset();
        ASSERT_TRUE(pipeline.receive(std::string_view(octets).substr(cut)));
        const std::string a_says = cut >= answered ? "a: *2\r\n:1\r\n$2\r\nab :2;" : "";
        ASSERT_EQ(taken_log(), a_says + "b: :3;") << cut;
        ASSERT_EQ(pipeline.waiting(), 0u);
    }
}

TEST_F(PipelineTest, ForgetsWhoNeverSent) {
    ask(a);
    pipeline.forget(b);
    EXPECT_TRUE(pipeline.receive(":1\r\n"));
    EXPECT_EQ(log, "a: :1;");
}

TEST_F(PipelineTest, FailsNobodyWhoIsGone) {
    ask(a);
    ask(b);
    pipeline.forget(a);
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(log, "b! closed;");
}

TEST_F(PipelineTest, WipesWhatItHasWritten) {
    pipeline.send(a, 1, {{"AUTH", "a-password-of-some-length"}});
    const std::size_t size = pipeline.output().size();
    pipeline.send(b, 1, {{"X"}});
    const char* const octets = pipeline.output().data();
    pipeline.wrote(size);
    // What is still to be written keeps the memory in front of it.
    ASSERT_EQ(pipeline.output().data(), octets + size);
    EXPECT_EQ(std::string_view(octets, size), std::string(size, '\0'));
    EXPECT_EQ(pipeline.output(), "*1\r\n$1\r\nX\r\n");
}

}  // namespace
}  // namespace gate::redis
