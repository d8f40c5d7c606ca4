// Replies for tests: made by hand, and written as a server writes them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "redis/reply.h"

namespace gate::redis::test {

inline Reply nil() {
    return {};
}

inline Reply of_text(Reply::Type type, std::string text) {
    Reply reply;
    reply.type = type;
    reply.text = std::move(text);
    return reply;
}

inline Reply status(std::string text) {
    return of_text(Reply::Type::kStatus, std::move(text));
}

inline Reply error(std::string text) {
    return of_text(Reply::Type::kError, std::move(text));
}

inline Reply string(std::string text) {
    return of_text(Reply::Type::kString, std::move(text));
}

inline Reply integer(std::int64_t value) {
    Reply reply;
    reply.type = Reply::Type::kInteger;
    reply.integer = value;
    return reply;
}

inline Reply array(std::vector<Reply> items) {
    Reply reply;
    reply.type = Reply::Type::kArray;
    reply.items = std::move(items);
    return reply;
}

// RESP2; nil is a nil string. Two replies are equal if this is.
inline std::string encode(const Reply& reply) {
    switch (reply.type) {
        case Reply::Type::kNil:
            return "$-1\r\n";
        case Reply::Type::kStatus:
            return "+" + reply.text + "\r\n";
        case Reply::Type::kError:
            return "-" + reply.text + "\r\n";
        case Reply::Type::kInteger:
            return ":" + std::to_string(reply.integer) + "\r\n";
        case Reply::Type::kString:
            return "$" + std::to_string(reply.text.size()) + "\r\n" + reply.text + "\r\n";
        case Reply::Type::kArray:
            break;
    }
    std::string octets = "*" + std::to_string(reply.items.size()) + "\r\n";
    for (const Reply& item : reply.items) octets += encode(item);
    return octets;
}

}  // namespace gate::redis::test
