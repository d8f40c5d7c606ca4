// The configuration in force, as `nginx -t` dumps it after merging (src/nginx/dump.h): gatectl
// never reads nginx.conf itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gatectl/command.h"
#include "jose/issuer.h"
#include "jose/json.h"
#include "jose/key_set.h"
#include "policy/engine.h"

namespace gate::ctl {

// The options that choose a configuration; commands put them into their tables.
inline constexpr Option kConfOption{"c", "FILE", "nginx.conf (the one nginx was built with)"};
inline constexpr Option kPrefixOption{"p", "DIR", "nginx's prefix"};
inline constexpr Option kNginxOption{"nginx", "FILE", "the nginx to run (/usr/sbin/nginx)"};

// Runs `nginx -t` with GATE_DUMP. Errors are nginx's own messages.
Result<jose::Document, std::string> read_configuration(const Arguments& arguments);

// The element of `list` with that name; the error names the declared ones.
Result<jose::Value, std::string> find_block(jose::Value list, std::string_view what,
                                            std::string_view name);

// Blocks of the dump as the engine wants them, with their files read.
jose::Issuer issuer_from(jose::Value block);
Result<jose::KeySet, std::string> keys_of_issuer(jose::Value block, const jose::Issuer& issuer);
Result<policy::KeyStore, std::string> store_from(jose::Value block);
// The store's key file; nullopt: its keys are in Redis.
std::optional<std::string> key_file_of(jose::Value block);

// The strings of an array, nothing for any other value.
std::vector<std::string> strings_of(jose::Value list);

}  // namespace gate::ctl
