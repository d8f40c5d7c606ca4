#include "redis/sentinel.h"

#include "redis/command.h"

namespace gate::redis {

void append_master_question(std::string& out, std::string_view master) {
    append_command(out, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", master});
}

std::optional<Endpoint> read_master(const Reply& reply) {
    if (!reply.is(Reply::Type::kArray) || reply.items.size() != 2) return std::nullopt;
    const Reply& host = reply.items[0];
    const Reply& port = reply.items[1];
    if (!host.is(Reply::Type::kString) || !port.is(Reply::Type::kString)) return std::nullopt;
    const auto number = parse_port(port.text);
    if (!number || !is_host(host.text)) return std::nullopt;
    return Endpoint{host.text, *number, {}};
}

}  // namespace gate::redis
