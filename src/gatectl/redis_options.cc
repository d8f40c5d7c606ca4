#include "gatectl/redis_options.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include "base/json_text.h"
#include "base/time.h"
#include "gatectl/encoding.h"
#include "redis/decimal.h"

namespace gate::ctl {

namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::uint64_t kLongestTimeout = 600'000;  // milliseconds
constexpr unsigned kMaxDb = 999'999;
constexpr unsigned kMaxReplicas = 1000;

std::vector<std::string> addresses_of(const Arguments& arguments) {
    if (arguments.has("redis")) return arguments.values("redis");
    std::vector<std::string> addresses;
    const char* const variable = std::getenv(kRedisVariable);
    std::string_view rest = variable != nullptr ? variable : "";
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        addresses.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return addresses;
}

Status<std::string> read_servers(const Arguments& arguments, RedisOptions& options) {
    if (arguments.has("sentinel") && arguments.has("cluster")) {
        return fail(std::string("--sentinel and --cluster are two kinds of stores; give one"));
    }
    if (const auto name = arguments.value("sentinel")) {
        if (name->empty()) return fail(std::string("--sentinel: the master's name is empty"));
        options.topology = RedisTopology::kSentinel;
        options.master = *name;
    } else if (arguments.has("cluster")) {
        options.topology = RedisTopology::kCluster;
    }
    const bool sentinel = options.topology == RedisTopology::kSentinel;
    const std::string source = arguments.has("redis") ? "--redis" : kRedisVariable;
    for (const std::string& text : addresses_of(arguments)) {
        const auto endpoint = redis::Endpoint::parse(text, sentinel ? kSentinelPort : kRedisPort);
        if (!endpoint) return fail(source + ": " + endpoint.error());
        options.servers.push_back(*endpoint);
    }
    if (options.topology == RedisTopology::kServer && options.servers.size() > 1) {
        return fail(source + ": several addresses go with --sentinel or --cluster only");
    }
    return Done{};
}

Result<redis::Login, std::string> read_login(const Arguments& arguments, std::string_view user,
                                             std::string_view file) {
    redis::Login login;
    login.client_name = "gatectl";
    login.user = arguments.value_or(user, "");
    const auto path = arguments.value(file);
    if (!path) {
        if (!arguments.has(user)) return login;
        return fail("--" + std::string(user) + " goes with --" + std::string(file));
    }
    auto password = read_secret_file(*path, SecretEncoding::kText);
    if (!password) return fail("--" + std::string(file) + ": " + password.error());
    if (password->empty()) return fail("--" + std::string(file) + ": " + *path + " is empty");
    login.password = std::make_shared<const Secret>(*std::move(password));
    return login;
}

Status<std::string> read_logins(const Arguments& arguments, RedisOptions& options) {
    auto login = read_login(arguments, "redis-user", "redis-password-file");
    if (!login) return fail(login.error());
    auto sentinel = read_login(arguments, "sentinel-user", "sentinel-password-file");
    if (!sentinel) return fail(sentinel.error());
    if (options.topology != RedisTopology::kSentinel && sentinel->password != nullptr) {
        return fail(std::string("--sentinel-password-file goes with --sentinel"));
    }
    options.login = *std::move(login);
    options.sentinel_login = *std::move(sentinel);
    return Done{};
}

Result<std::optional<unsigned>, std::string> read_number(const Arguments& arguments,
                                                         std::string_view option, unsigned most) {
    const auto text = arguments.value(option);
    if (!text) return std::optional<unsigned>();
    const auto number = redis::parse_decimal(*text);
    if (!number || *number > most) {
        return fail("--" + std::string(option) + ": expected a number from 0 to " +
                    std::to_string(most));
    }
    return std::optional(static_cast<unsigned>(*number));
}

Status<std::string> read_place(const Arguments& arguments, RedisOptions& options) {
    const bool cluster = options.topology == RedisTopology::kCluster;
    const auto db = read_number(arguments, "db", kMaxDb);
    if (!db) return fail(db.error());
    options.login.db = db->value_or(0);
    if (cluster && options.login.db != 0) {
        return fail(std::string("--db: a cluster has only database 0"));
    }
    const std::string prefix = arguments.value_or("redis-prefix", cluster ? "{gate}:" : "gate:");
    const std::string problem = redis::prefix_problem(prefix, cluster);
    if (!problem.empty()) return fail("--redis-prefix: " + problem);
    options.keys = redis::StoreKeys(prefix);
    return Done{};
}

Status<std::string> read_tls(const Arguments& arguments, RedisOptions& options) {
    RedisTls& tls = options.tls;
    tls.on = arguments.has("tls");
    for (const std::string_view name : {"tls-ca", "tls-cert", "tls-key", "tls-name"}) {
        if (!tls.on && arguments.has(name)) {
            return fail("--" + std::string(name) + " goes with --tls");
        }
    }
    tls.verify = !arguments.has("tls-insecure");
    if (!tls.on && !tls.verify) return fail(std::string("--tls-insecure goes with --tls"));
    tls.name = arguments.value_or("tls-name", "");
    tls.ca = arguments.value_or("tls-ca", "");
    tls.certificate = arguments.value_or("tls-cert", "");
    tls.key = arguments.value_or("tls-key", "");
    if (tls.certificate.empty() != tls.key.empty()) {
        return fail(std::string("--tls-cert and --tls-key go together"));
    }
    if (!tls.verify && !tls.ca.empty()) {
        return fail(std::string("--tls-ca and --tls-insecure contradict each other"));
    }
    return Done{};
}

// "5s", and as nginx has it "500ms".
Status<std::string> read_timeout(const Arguments& arguments, RedisOptions& options) {
    const auto text = arguments.value("timeout");
    if (!text) return Done{};
    std::uint64_t milliseconds = 0;
    if (text->ends_with("ms")) {
        const std::string_view digits = std::string_view(*text).substr(0, text->size() - 2);
        milliseconds = redis::parse_decimal(digits).value_or(0);
    } else if (const auto seconds = parse_duration(*text)) {
        milliseconds = static_cast<std::uint64_t>(*seconds) * 1000;
    }
    if (milliseconds == 0 || milliseconds > kLongestTimeout) {
        return fail(std::string("--timeout: expected a time from 1ms to 10m, such as 5s"));
    }
    options.timeout = static_cast<int>(milliseconds);
    return Done{};
}

// Options that say nothing without an address.
Status<std::string> check_lonely(const Arguments& arguments, bool file) {
    for (const Option& option : kRedisChangeOptions) {
        if (option.name == "redis" || !arguments.has(option.name)) continue;
        const std::string name = "--" + std::string(option.name);
        return fail(name + (file ? " goes with --redis, not with a file" : " goes with --redis"));
    }
    return Done{};
}

}  // namespace

Result<std::optional<RedisOptions>, std::string> redis_options(const Arguments& arguments,
                                                               bool file) {
    if (arguments.has("redis") && file) {
        return fail(std::string("a file and --redis name two stores; give one"));
    }
    if (file || addresses_of(arguments).empty()) {
        if (const auto lonely = check_lonely(arguments, file); !lonely) {
            return fail(lonely.error());
        }
        return std::optional<RedisOptions>();
    }
    RedisOptions options;
    for (const auto read : {read_servers, read_logins, read_place, read_tls, read_timeout}) {
        if (const auto done = read(arguments, options); !done) return fail(done.error());
    }
    const auto wait = read_number(arguments, "wait", kMaxReplicas);
    if (!wait) return fail(wait.error());
    options.wait = *wait;
    return std::optional(std::move(options));
}

}  // namespace gate::ctl
