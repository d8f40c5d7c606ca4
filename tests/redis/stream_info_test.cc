#include "redis/stream_info.h"

#include <gtest/gtest.h>

#include <utility>

namespace gate::redis {
namespace {

Reply string(std::string text) {
    Reply reply;
    reply.type = Reply::Type::kString;
    reply.text = std::move(text);
    return reply;
}
Reply array(std::vector<Reply> items) {
    Reply reply;
    reply.type = Reply::Type::kArray;
    reply.items = std::move(items);
    return reply;
}
Reply error(std::string text) {
    Reply reply = string(std::move(text));
    reply.type = Reply::Type::kError;
    return reply;
}
Reply info(const std::string& last, Reply first) {
    return array({string("length"), Reply{}, string("last-generated-id"), string(last),
                  string("first-entry"), std::move(first), string("last-entry"), Reply{}});
}

TEST(ReadStreamInfo, TakesWhatWasAddedLastAndWhatIsThereFirst) {
    const auto full = read_stream_info(info("9-1", array({string("5-0"), array({})})));
    ASSERT_TRUE(full);
    EXPECT_EQ(full->last, (StreamId{9, 1}));
    EXPECT_EQ(full->first, (StreamId{5, 0}));
    const auto empty = read_stream_info(info("9-1", Reply{}));
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->last, (StreamId{9, 1}));
    EXPECT_FALSE(empty->first);
}

TEST(ReadStreamInfo, TakesNoStreamForAnEmptyOne) {
    const auto none = read_stream_info(error("ERR no such key"));
    ASSERT_TRUE(none);
    EXPECT_EQ(none->last, StreamId{});
    EXPECT_FALSE(none->first);
    EXPECT_TRUE(is_no_such_key(error("ERR no such key")));
    EXPECT_FALSE(is_no_such_key(error("NOPERM no such key")));
    EXPECT_FALSE(is_no_such_key(string("ERR no such key")));
}

TEST(ReadStreamInfo, RefusesWhatIsNone) {
    EXPECT_FALSE(read_stream_info(Reply{}));
    EXPECT_FALSE(read_stream_info(error("NOPERM")));
    EXPECT_FALSE(read_stream_info(array({})));
    EXPECT_FALSE(read_stream_info(info("nine", Reply{})));
    EXPECT_FALSE(read_stream_info(info("9-1", array({}))));
    EXPECT_FALSE(read_stream_info(info("9-1", array({string("x")}))));
    EXPECT_FALSE(read_stream_info(array({Reply{}, string("9-1")})));
}

TEST(StreamInfo, IsWholeBehindAPlaceThatIsThereOrTheLast) {
    const StreamInfo stream{{9, 1}, StreamId{5, 0}};
    EXPECT_TRUE(stream.whole_behind({5, 0}));
    EXPECT_TRUE(stream.whole_behind({7, 0}));
    EXPECT_TRUE(stream.whole_behind({9, 1}));
    EXPECT_FALSE(stream.whole_behind({4, 9}));
    EXPECT_FALSE(stream.whole_behind({}));
    const StreamInfo trimmed{{9, 1}, std::nullopt};
    EXPECT_TRUE(trimmed.whole_behind({9, 1}));
    EXPECT_FALSE(trimmed.whole_behind({9, 0}));
    EXPECT_TRUE(StreamInfo{}.whole_behind({}));
    EXPECT_FALSE(StreamInfo{}.whole_behind({1, 0}));
}

}  // namespace
}  // namespace gate::redis
