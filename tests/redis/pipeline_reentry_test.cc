// Callers that use the Pipeline while it calls them.
#include <gtest/gtest.h>

#include <memory>

#include "redis/pipeline.h"
#include "tests/redis/callers.h"

namespace gate::redis {
namespace {

using namespace test;

class ReentryTest : public testing::Test {
protected:
    void ask(Recorder& caller, std::size_t commands = 1) {
        std::string text;
        for (std::size_t i = 0; i < commands; ++i) text += "*1\r\n$1\r\nX\r\n";
        pipeline.send(caller, now++, text, commands);
    }
    void ask_and_write(Recorder& caller, std::size_t commands = 1) {
        ask(caller, commands);
        write_all(pipeline);
    }
    std::string taken_log() { return std::exchange(log, ""); }

    std::string log;
    std::uint64_t now = 1;
    Pipeline pipeline;
    Recorder a{"a", log};
    Recorder b{"b", log};
    Recorder c{"c", log};
};

TEST_F(ReentryTest, AnAnswerMaySendAgain) {
    ask_and_write(a);
    ask_and_write(b);
    a.then = [&] { ask_and_write(a); };
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n"));
    EXPECT_EQ(log, "a: :1;b: :2;a: :3;");
}

TEST_F(ReentryTest, AnAnswerMayForgetOthers) {
    ask_and_write(a);
    ask_and_write(b, 2);
    ask_and_write(c);
    a.then = [&] { pipeline.forget(b); };
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n:4\r\n"));
    EXPECT_EQ(log, "a: :1;c: :4;");
}

TEST_F(ReentryTest, AnAnswerMayForgetItself) {
    ask_and_write(a);
    ask_and_write(b);
    ask_and_write(a);
    a.then = [&] { pipeline.forget(a); };
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n"));
    EXPECT_EQ(log, "a: :1;b: :2;");
}

TEST_F(ReentryTest, AnAnswerMayEndItsCaller) {
    auto one = std::make_unique<Recorder>("one", log);
    ask_and_write(*one);
    ask_and_write(b);
    one->then = [&] { one.reset(); };
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_EQ(log, "one: :1;b: :2;");
}

TEST_F(ReentryTest, AnAnswerMayFailTheConnection) {
    ask_and_write(a);
    ask_and_write(b);
    a.then = [&] { pipeline.fail(LinkFailure::kProtocol); };
    // What came behind belongs to the connection that is no more.
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n$5\r\nab"));
    EXPECT_EQ(taken_log(), "a: :1;b! protocol;");
    EXPECT_EQ(pipeline.waiting(), 0u);
    ask_and_write(c);
    EXPECT_TRUE(pipeline.receive(":4\r\n"));
    EXPECT_EQ(taken_log(), "c: :4;");
}

TEST_F(ReentryTest, AnAnswerMayStopWhatCameBehindIt) {
    ask_and_write(a);
    ask_and_write(b);
    a.then = [&] { pipeline.stop(); };
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n"));
    EXPECT_TRUE(pipeline.receive(":3\r\n"));
    EXPECT_EQ(taken_log(), "a: :1;");
    pipeline.fail(LinkFailure::kProtocol);
    EXPECT_EQ(taken_log(), "b! protocol;");
    ask_and_write(c);
    EXPECT_TRUE(pipeline.receive(":4\r\n"));
    EXPECT_EQ(taken_log(), "c: :4;") << "the next connection begins anew";
}

TEST_F(ReentryTest, AFailureMaySendForTheNextConnection) {
    ask_and_write(a);
    ask_and_write(b);
    a.then = [&] {
        ask(a);
        EXPECT_EQ(pipeline.waiting(), 1u) << "only what is sent anew waits";
        EXPECT_EQ(pipeline.oldest(), 3u);
    };
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(taken_log(), "a! closed;b! closed;");
    EXPECT_EQ(pipeline.waiting(), 1u);
    EXPECT_EQ(pipeline.output(), "*1\r\n$1\r\nX\r\n");
    write_all(pipeline);
    EXPECT_TRUE(pipeline.receive(":1\r\n"));
    EXPECT_EQ(taken_log(), "a: :1;");
}

TEST_F(ReentryTest, AFailureMayForgetOthers) {
    auto gone = std::make_unique<Recorder>("gone", log);
    ask_and_write(a);
    ask_and_write(*gone);
    ask_and_write(b);
    ask_and_write(*gone);
    a.then = [&] {
        pipeline.forget(*gone);
        gone.reset();
    };
    pipeline.fail(LinkFailure::kTimeout);
    EXPECT_EQ(log, "a! timeout;b! timeout;");
}

TEST_F(ReentryTest, AFailureMayForgetItself) {
    ask_and_write(a);
    ask_and_write(a);
    ask_and_write(b);
    a.then = [&] {
        ask(a);
        pipeline.forget(a);
    };
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(taken_log(), "a! closed;b! closed;");
    EXPECT_EQ(pipeline.waiting(), 1u) << "sent anew, and forgotten";
    write_all(pipeline);
    EXPECT_TRUE(pipeline.receive(":1\r\n"));
    EXPECT_EQ(taken_log(), "");
}

TEST_F(ReentryTest, AFailureMayFailWhatIsSentAnew) {
    ask_and_write(a);
    ask_and_write(b);
    ask_and_write(c);
    a.then = [&] {
        ask(a);
        pipeline.fail(LinkFailure::kOverflow);
        log += "(back);";
    };
    pipeline.fail(LinkFailure::kClosed);
    EXPECT_EQ(taken_log(), "a! closed;b! closed;c! closed;a! overflow;(back);");
    EXPECT_EQ(pipeline.waiting(), 0u);
}

TEST_F(ReentryTest, EverybodySendsAgainForEver) {
    // A caller that asks again whenever it fails keeps its place, and fail() comes to an end.
    Recorder* const all[] = {&a, &b, &c};
    for (Recorder* caller : all) ask_and_write(*caller);
    for (int round = 0; round < 3; ++round) {
        for (Recorder* caller : all) caller->then = [this, caller] { ask(*caller); };
        pipeline.fail(LinkFailure::kClosed);
        EXPECT_EQ(taken_log(), "a! closed;b! closed;c! closed;");
        EXPECT_EQ(pipeline.waiting(), 3u);
    }
    write_all(pipeline);
    EXPECT_TRUE(pipeline.receive(":1\r\n:2\r\n:3\r\n"));
    EXPECT_EQ(taken_log(), "a: :1;b: :2;c: :3;");
}

}  // namespace
}  // namespace gate::redis
