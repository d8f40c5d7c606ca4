// gate_redis name { }.
#include <algorithm>
#include <charconv>

#include "base/time.h"
#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::string_view kTopologies =
    "expected one of \"server HOST:PORT;\", \"sentinel master=NAME HOST:PORT ..;\" and \"cluster "
    "HOST:PORT ..;\"";

struct Block {
    RedisConf& conf;
    RedisConf sentinel;  // who asks the sentinels
    bool prefix_set = false;
};

bool begin_topology(const Directive& word, Block& block, RedisTopologyKind topology) {
    if (!block.conf.servers.empty()) {
        return word.fail("stands beside another topology; " + std::string(kTopologies));
    }
    block.conf.topology = topology;
    return true;
}

bool set_server(Directive& word, Block& block) {
    return begin_topology(word, block, RedisTopologyKind::kStandalone) &&
           add_redis_server(word, word.values()[0], kRedisPort, block.conf);
}

bool set_sentinel(Directive& word, Block& block) {
    if (!begin_topology(word, block, RedisTopologyKind::kSentinel)) return false;
    const auto master = option(word.values()[0], "master");
    if (!master || master->empty()) return word.unknown(word.values()[0], "master=NAME first");
    block.conf.master = *master;
    for (std::size_t i = 1; i < word.values().size(); ++i) {
        if (!add_redis_server(word, word.values()[i], kSentinelPort, block.conf)) return false;
    }
    return true;
}

bool set_cluster(Directive& word, Block& block) {
    if (!begin_topology(word, block, RedisTopologyKind::kCluster)) return false;
    return std::ranges::all_of(word.values(), [&](std::string_view value) {
        return add_redis_server(word, value, kRedisPort, block.conf);
    });
}

bool read_user(const Directive& word, RedisConf& conf) {
    conf.user = word.values()[0];
    return !conf.user.empty() || word.fail("is empty; expected a user of Redis' ACL");
}

bool read_password_file(const Directive& word, RedisConf& conf) {
    conf.password_file = word.path(word.values()[0]);
    auto password = read_password(conf.password_file);
    if (!password) {
        return word.fail("names " + quoted(conf.password_file) + ": " + password.error());
    }
    conf.password = *std::move(password);
    const std::string blocked = unreadable_part(word.cf(), conf.password_file);
    if (!blocked.empty()) {
        warn_at(word.cf(), word.where().text(),
                quoted(word.name()) + " names " + quoted(conf.password_file) +
                    ", which the workers' user cannot read again because of " + quoted(blocked) +
                    "; a changed password counts after a reload only");
    }
    return true;
}

bool set_user(Directive& word, Block& block) {
    return read_user(word, block.conf);
}
bool set_password_file(Directive& word, Block& block) {
    return read_password_file(word, block.conf);
}
bool set_sentinel_user(Directive& word, Block& block) {
    return read_user(word, block.sentinel);
}
bool set_sentinel_password_file(Directive& word, Block& block) {
    return read_password_file(word, block.sentinel);
}

bool set_db(Directive& word, Block& block) {
    const std::string_view text = word.values()[0];
    unsigned& db = block.conf.db;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), db);
    if (error == std::errc() && end == text.data() + text.size() && db < 1'000'000) return true;
    return word.unknown(text, "a number such as 0");
}

bool set_prefix(Directive& word, Block& block) {
    block.conf.keys = redis::StoreKeys(std::string(word.values()[0]));
    block.prefix_set = true;
    return true;
}

bool set_time(const Directive& word, ngx_msec_t& time, ngx_msec_t least, ngx_msec_t most) {
    ngx_str_t text = str(word.values()[0]);
    const ngx_int_t parsed = ngx_parse_time(&text, 0);
    if (parsed == NGX_ERROR || static_cast<ngx_msec_t>(parsed) < least ||
        static_cast<ngx_msec_t>(parsed) > most) {
        return word.unknown(word.values()[0], "a time from " + std::to_string(least) + "ms to " +
                                                  std::to_string(most / 1000) + "s");
    }
    time = static_cast<ngx_msec_t>(parsed);
    return true;
}

bool set_connect_timeout(Directive& word, Block& block) {
    return set_time(word, block.conf.connect_timeout, 1, 60'000);
}
bool set_timeout(Directive& word, Block& block) {
    return set_time(word, block.conf.timeout, 1, 60'000);
}
bool set_keepalive(Directive& word, Block& block) {
    return set_time(word, block.conf.keepalive, 100, 60'000);
}
bool set_backoff(Directive& word, Block& block) {
    return set_time(word, block.conf.backoff, 1000, 60'000);
}

bool set_queue(Directive& word, Block& block) {
    const ngx_int_t count = ngx_atoi(str(word.values()[0]).data, word.values()[0].size());
    if (count < 1 || count > 1'000'000) {
        return word.unknown(word.values()[0], "a number from 1 to 1000000");
    }
    block.conf.queue = static_cast<std::size_t>(count);
    return true;
}

bool set_switch(const Directive& word, bool& value) {
    const std::string_view text = word.values()[0];
    value = text == "on";
    return text == "on" || text == "off" || word.unknown(text, "on or off");
}

bool set_ssl(Directive& word, Block& block) {
    return set_switch(word, block.conf.tls.on);
}
bool set_ssl_verify(Directive& word, Block& block) {
    return set_switch(word, block.conf.tls.verify);
}
bool set_ssl_name(Directive& word, Block& block) {
    block.conf.tls.name = word.values()[0];
    return true;
}
bool set_ssl_trusted(Directive& word, Block& block) {
    block.conf.tls.trusted_certificate = word.path(word.values()[0]);
    return true;
}
bool set_ssl_certificate(Directive& word, Block& block) {
    block.conf.tls.certificate = word.path(word.values()[0]);
    return true;
}
bool set_ssl_key(Directive& word, Block& block) {
    block.conf.tls.certificate_key = word.path(word.values()[0]);
    return true;
}

constexpr Word<Block> kWords[] = {
    {"server", 1, 1, false, set_server},
    {"sentinel", 2, kAnyCount, false, set_sentinel},
    {"cluster", 1, kAnyCount, false, set_cluster},
    {"user", 1, 1, false, set_user},
    {"password_file", 1, 1, false, set_password_file},
    {"sentinel_user", 1, 1, false, set_sentinel_user},
    {"sentinel_password_file", 1, 1, false, set_sentinel_password_file},
    {"db", 1, 1, false, set_db},
    {"prefix", 1, 1, false, set_prefix},
    {"ssl", 1, 1, false, set_ssl},
    {"ssl_verify", 1, 1, false, set_ssl_verify},
    {"ssl_name", 1, 1, false, set_ssl_name},
    {"ssl_trusted_certificate", 1, 1, false, set_ssl_trusted},
    {"ssl_certificate", 1, 1, false, set_ssl_certificate},
    {"ssl_certificate_key", 1, 1, false, set_ssl_key},
    {"connect_timeout", 1, 1, false, set_connect_timeout},
    {"timeout", 1, 1, false, set_timeout},
    {"keepalive", 1, 1, false, set_keepalive},
    {"backoff", 1, 1, false, set_backoff},
    {"queue", 1, 1, false, set_queue},
};

bool check_user(const Directive& directive, const RedisConf& conf, const std::string& which) {
    return conf.user.empty() || !conf.password_file.empty() ||
           fail_block(directive, "has a " + which + "user but no password; write \"" + which +
                                     "password_file PATH;\"");
}

bool check_sentinel(const Directive& directive, const Block& block) {
    return block.conf.topology == RedisTopologyKind::kSentinel ||
           block.sentinel.password_file.empty() ||
           fail_block(directive, "has a password for sentinels but names none");
}

// Connections to sentinels differ in whom they log in as.
void complete_sentinel(RedisConf& conf, RedisConf& sentinel) {
    if (conf.topology != RedisTopologyKind::kSentinel) return;
    sentinel.name = conf.name;
    sentinel.tls = conf.tls;
    sentinel.connect_timeout = conf.connect_timeout;
    sentinel.timeout = conf.timeout;
    sentinel.keepalive = conf.keepalive;
    sentinel.backoff = conf.backoff;
    conf.sentinel = std::make_unique<RedisConf>(std::move(sentinel));
}

bool check_store(const Directive& directive, Block& block) {
    RedisConf& conf = block.conf;
    const bool cluster = conf.topology == RedisTopologyKind::kCluster;
    if (!block.prefix_set && cluster) conf.keys = redis::StoreKeys("{gate}:");
    const std::string problem = redis::prefix_problem(conf.keys.prefix(), cluster);
    if (!problem.empty()) {
        return fail_block(directive,
                          "has the prefix " + quoted(conf.keys.prefix()) + ": " + problem);
    }
    if (cluster && conf.db != 0) return fail_block(directive, "has a db; a cluster has only db 0");
    return check_user(directive, conf, "") && check_user(directive, block.sentinel, "sentinel_") &&
           check_sentinel(directive, block);
}

// Words about TLS that would go unused are mistakes, and so is TLS that trusts anybody.
bool check_tls(const Directive& directive, const RedisTls& tls) {
    const bool words = !tls.verify || !tls.name.empty() || !tls.trusted_certificate.empty() ||
                       !tls.certificate.empty() || !tls.certificate_key.empty();
    if (!tls.on) {
        return !words || fail_block(directive, "has ssl_ words but no \"ssl on;\"");
    }
    if (tls.verify && tls.trusted_certificate.empty()) {
        return fail_block(
            directive,
            "has \"ssl on\" but nobody to trust; write \"ssl_trusted_certificate "
            "PATH;\" (or \"ssl_verify off;\", which protects from nobody in between)");
    }
    if (tls.certificate.empty() != tls.certificate_key.empty()) {
        return fail_block(directive, "needs ssl_certificate and ssl_certificate_key together");
    }
    return true;
}

bool start_tls(const Directive& directive, RedisTls& tls) {
    ngx_conf_t* cf = directive.cf();
    auto* ssl = static_cast<ngx_ssl_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
    if (ssl == nullptr) throw std::bad_alloc();
    ssl->log = cf->log;
    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr) != NGX_OK) return false;
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        ngx_ssl_cleanup_ctx(ssl);
        return false;
    }
    cleanup->handler = ngx_ssl_cleanup_ctx;
    cleanup->data = ssl;
    ngx_str_t certificate = str(copy(cf->pool, tls.certificate));
    ngx_str_t key = str(copy(cf->pool, tls.certificate_key));
    ngx_str_t trusted = str(copy(cf->pool, tls.trusted_certificate));
    if (certificate.len != 0 &&
        ngx_ssl_certificate(cf, ssl, &certificate, &key, nullptr) != NGX_OK) {
        return false;
    }
    if (trusted.len != 0 && ngx_ssl_trusted_certificate(cf, ssl, &trusted, 10) != NGX_OK) {
        return false;
    }
    tls.context = ssl;
    return true;
}

}  // namespace

bool set_gate_redis(Directive& directive, MainConf& main) {
    if (!check_block_name(directive)) return false;
    auto conf = std::make_unique<RedisConf>();
    conf->name = directive.values()[0];
    conf->where = directive.where().text();
    for (const auto& other : main.redis) {
        if (other->name == conf->name) return declared_twice(directive, other->where);
    }
    Block block{*conf, {}};
    if (!read_words(directive, kWords, block)) return false;
    if (conf->servers.empty()) {
        return fail_block(directive, "names no server; " + std::string(kTopologies));
    }
    if (!check_store(directive, block) || !check_tls(directive, conf->tls)) return false;
    if (conf->tls.on && !start_tls(directive, conf->tls)) {
        return fail_block(directive, "cannot use these certificates: see the line above");
    }
    complete_sentinel(*conf, block.sentinel);
    main.redis.push_back(std::move(conf));
    return true;
}

RedisConf* find_redis(ngx_conf_t* cf, const MainConf& main, const std::string& where,
                      const std::string& subject, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& conf : main.redis) {
        if (conf->name == name) return conf.get();
        names.push_back(conf->name);
    }
    fail_at(cf, where,
            subject + " names unknown redis " + quoted(name) +
                "; declared gate_redis: " + listed(names));
    return nullptr;
}

}  // namespace gate::nginx
