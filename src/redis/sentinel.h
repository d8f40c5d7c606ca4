// Which server is the master, as a sentinel knows it
// (https://redis.io/docs/reference/sentinel-clients).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "redis/endpoint.h"
#include "redis/reply.h"

namespace gate::redis {

// SENTINEL GET-MASTER-ADDR-BY-NAME.
void append_master_question(std::string& out, std::string_view master);
// nullopt: it knows no master of that name, or the reply is no answer to this.
std::optional<Endpoint> read_master(const Reply& reply);

}  // namespace gate::redis
