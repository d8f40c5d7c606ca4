#include "redis/stream_info.h"

namespace gate::redis {

bool is_no_such_key(const Reply& reply) noexcept {
    return reply.is(Reply::Type::kError) && reply.text == "ERR no such key";
}

std::optional<StreamInfo> read_stream_info(const Reply& reply) noexcept {
    if (is_no_such_key(reply)) return StreamInfo{};
    if (!reply.is(Reply::Type::kArray)) return std::nullopt;
    std::optional<StreamId> last;
    StreamInfo info;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
        const Reply& name = reply.items[i];
        const Reply& value = reply.items[i + 1];
        if (!name.is(Reply::Type::kString)) return std::nullopt;
        if (name.text == "last-generated-id") last = StreamId::parse(value.text);
        if (name.text != "first-entry" || !value.is(Reply::Type::kArray)) continue;
        if (value.items.empty()) return std::nullopt;
        info.first = StreamId::parse(value.items[0].text);
        if (!info.first) return std::nullopt;
    }
    if (!last) return std::nullopt;
    info.last = *last;
    return info;
}

}  // namespace gate::redis
