#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr std::string_view kJournalName = "/revocations";

// nginx makes the directory, for the workers' user.
bool add_state_directory(const Directive& directive, const std::string& path) {
    ngx_conf_t* cf = directive.cf();
    auto* slot = static_cast<ngx_path_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_path_t)));
    if (slot == nullptr) throw std::bad_alloc();
    slot->name = str(copy(cf->pool, path));
    slot->conf_file = cf->conf_file->file.name.data;
    slot->line = cf->conf_file->line;
    return ngx_add_path(cf, &slot) == NGX_OK;
}

bool set_size(const Directive& directive, std::string_view text, ZoneConf& zone) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const std::string_view size_text =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    ngx_str_t size = str(size_text);
    const ssize_t octets = size.len == 0 ? NGX_ERROR : ngx_parse_size(&size);
    if (name.empty() || octets == NGX_ERROR) {
        return directive.fail("has the value " + quoted(text) +
                              "; expected a name and a size such as gate:64m");
    }
    zone.name = name;
    zone.size = static_cast<std::size_t>(octets);
    if (zone.size >= kMinZoneSize) return true;
    return directive.fail("has the size " + quoted(size_text) +
                          "; at least 1m is needed (64m keeps "
                          "250,000 tokens and 500,000 revocations)");
}

bool set_max_lag(const Directive& directive, std::string_view text, ngx_msec_t& lag) {
    const auto seconds = parse_duration(text);
    if (!seconds || *seconds < 1 || *seconds > 86400) {
        return directive.fail("has max_lag=" + std::string(text) + "; expected 1s to 1d");
    }
    lag = static_cast<ngx_msec_t>(*seconds) * 1000;
    return true;
}

// nginx gives the directory to the workers; a journal that somebody else has put there may not be
// theirs.
bool check_state(ngx_conf_t* cf, const ZoneConf& zone) {
    struct stat status {};
    if (zone.state.empty() || stat(zone.state.c_str(), &status) != 0) return true;
    if (!S_ISDIR(status.st_mode)) {
        return fail_at(cf, zone.where,
                       "\"gate_zone\" has state=" + quoted(zone.state) + ", which is no directory");
    }
    const std::string path = zone.state + std::string(kJournalName);
    if (stat(path.c_str(), &status) != 0) return true;
    const std::string blocked = unreadable_part(cf, path);
    return blocked.empty() || fail_at(cf, zone.where,
                                      "\"gate_zone\" has the journal " + quoted(path) +
                                          ", which the workers' user cannot follow because of " +
                                          quoted(blocked) + "; let it belong to that user");
}

// The file has to be there: a mistyped path must not look like an empty list.
bool check_journal(ngx_conf_t* cf, const JournalConf& journal) {
    struct stat status {};
    if (stat(journal.path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
        const std::string blocked = unreadable_part(cf, journal.path);
        return blocked.empty() ||
               fail_at(cf, journal.where,
                       "\"gate_revocation\" names " + quoted(journal.path) +
                           ", which the workers' user cannot follow because of " + quoted(blocked) +
                           "; let a group of that user read it");
    }
    return fail_at(cf, journal.where,
                   "\"gate_revocation\" names " + quoted(journal.path) +
                       ", which is no file; begin with an empty one: touch " + journal.path);
}

}  // namespace

bool set_gate_zone(Directive& directive, MainConf& main) {
    if (main.zone) return declared_twice(directive, main.zone->where);
    auto zone = std::make_unique<ZoneConf>();
    zone->where = directive.where().text();
    if (!set_size(directive, directive.values()[0], *zone)) return false;
    if (directive.values().size() > 1) {
        const auto state = option(directive.values()[1], "state");
        if (!state || state->empty()) return directive.unknown(directive.values()[1], "state=PATH");
        zone->state = directive.path(*state);
        while (zone->state.size() > 1 && zone->state.ends_with('/')) zone->state.pop_back();
        if (!add_state_directory(directive, zone->state)) return false;
        JournalConf journal;
        journal.path = zone->state + std::string(kJournalName);
        journal.ours = true;
        journal.where = zone->where;
        zone->journals.push_back(std::move(journal));
    }
    main.zone = std::move(zone);
    return add_zone(directive.cf(), *main.zone);
}

bool set_gate_revocation(Directive& directive, MainConf& main) {
    if (main.revocation || main.followed) return directive.duplicate();
    std::string path;
    std::string redis;
    ngx_msec_t max_lag = JournalConf{}.max_lag;
    bool serve_when_late = false;
    for (const std::string_view value : directive.values()) {
        if (const auto file = option(value, "file"); file && !file->empty()) {
            path = directive.path(*file);
        } else if (const auto name = option(value, "redis"); name && !name->empty()) {
            redis = *name;
        } else if (const auto lag = option(value, "max_lag")) {
            if (!set_max_lag(directive, *lag, max_lag)) return false;
        } else if (const auto late = option(value, "on_lag")) {
            if (*late != "deny" && *late != "serve") {
                return directive.unknown(value, "on_lag=deny or on_lag=serve");
            }
            serve_when_late = *late == "serve";
        } else {
            return directive.unknown(value,
                                     "file=PATH, redis=NAME, max_lag=TIME, on_lag=deny|serve");
        }
    }
    if (path.empty() == redis.empty()) return directive.fail("needs file=PATH or redis=NAME");
    const std::string where = directive.where().text();
    if (redis.empty()) {
        main.revocation = JournalConf{.path = std::move(path),
                                      .max_lag = max_lag,
                                      .serve_when_late = serve_when_late,
                                      .where = where};
    } else {
        main.followed = StreamConf{.redis_name = std::move(redis),
                                   .max_lag = max_lag,
                                   .serve_when_late = serve_when_late,
                                   .where = where};
    }
    return true;
}

namespace {

bool complete_followed(ngx_conf_t* cf, MainConf& main) {
    StreamConf& stream = *main.followed;
    if (!main.zone) {
        return fail_at(cf, stream.where,
                       "\"gate_revocation\" needs shared memory; write \"gate_zone gate:64m;\" "
                       "beside it");
    }
    stream.redis = find_redis(cf, main, stream.where, "\"gate_revocation\"", stream.redis_name);
    if (stream.redis == nullptr) return false;
    main.zone->streams.push_back(stream);
    return true;
}

}  // namespace

bool complete_zone(ngx_conf_t* cf, MainConf& main) {
    for (const auto& redis : main.redis) redis->shared = main.zone != nullptr;
    if (main.zone && !check_state(cf, *main.zone)) return false;
    if (main.followed && !complete_followed(cf, main)) return false;
    if (main.revocation) {
        if (!main.zone) {
            return fail_at(cf, main.revocation->where,
                           "\"gate_revocation\" needs shared memory; write \"gate_zone gate:64m;\" "
                           "beside it");
        }
        if (!check_journal(cf, *main.revocation)) return false;
        for (const JournalConf& other : main.zone->journals) {
            if (other.path == main.revocation->path) {
                return fail_at(cf, main.revocation->where,
                               "\"gate_revocation\" names the journal that state= of \"gate_zone\" "
                               "has already");
            }
        }
        main.zone->journals.push_back(*main.revocation);
    }
    if (main.zone) main.zone->follows = !main.zone->journals.empty() || !main.zone->streams.empty();
    return true;
}

void warn_without_zone(ngx_conf_t* cf, const MainConf& main) {
    if (main.zone) return;
    for (const Level& level : main.levels) {
        const LocConf& loc = *level.conf;
        if (!loc.gate.set() || !loc.gate->on || !loc.gate->jwt) continue;
        warn_at(cf, loc.gate->where.text(),
                "\"gate\" verifies the signature of each request anew, because no \"gate_zone\" is "
                "declared; write \"gate_zone gate:64m;\" at http level");
        return;
    }
}

}  // namespace gate::nginx
