#include "gatectl/store_check.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "gatectl/redis_change.h"
#include "gatectl/redis_records.h"
#include "redis/change.h"

namespace gate::ctl {

namespace {

using redis::Reply;

constexpr std::size_t kLookedAt = 1000;  // records, unless all are wanted

std::string value_of(const InfoFields& fields, std::string_view name) {
    const auto found = fields.find(name);
    return found != fields.end() ? found->second : std::string();
}

std::int64_t number_of(std::string_view text) {
    std::int64_t value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// "ip=127.0.0.1,port=6380,state=online,offset=14,lag=1".
ReplicaState read_replica(std::string_view text, std::int64_t master_offset) {
    InfoFields fields;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(','));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const std::size_t equals = std::min(word.find('='), word.size());
        fields[std::string(word.substr(0, equals))] =
            word.substr(std::min(equals + 1, word.size()));
    }
    ReplicaState replica;
    replica.address = value_of(fields, "ip") + ":" + value_of(fields, "port");
    replica.state = value_of(fields, "state");
    replica.lag = number_of(value_of(fields, "lag"));
    const std::int64_t offset = number_of(value_of(fields, "offset"));
    if (offset >= 0 && master_offset >= offset) replica.behind = master_offset - offset;
    return replica;
}

void judge_eviction(const ServerState& server, Findings& findings) {
    if (!server.eviction) {
        findings.warnings.push_back("what Redis drops when its memory is full is not known");
        return;
    }
    const std::string problem = redis::eviction_problem(*server.eviction);
    if (problem.empty()) return;
    const bool loses = server.eviction->bounded &&
                       redis::eviction_risk(*server.eviction) == redis::EvictionRisk::kAny;
    (loses ? findings.problems : findings.warnings).push_back(problem);
}

void judge_persistence(const ServerState& server, Findings& findings) {
    const bool no_snapshots = server.save && server.save->empty();
    if (!server.aof && no_snapshots) {
        findings.problems.push_back(
            "nothing is written to disk: a restart of Redis loses every key and revocation; set "
            "appendonly yes");
    } else if (!server.aof) {
        findings.warnings.push_back(
            std::string(server.save ? "" : "whether there are snapshots is not known, and ") +
            "there is no append-only file: a crash of Redis loses what changed since the last "
            "snapshot; set appendonly yes");
    }
    if (server.aof && server.aof_status != "ok") {
        findings.problems.push_back("the last write to the append-only file failed");
    }
    if (!no_snapshots && server.rdb_status != "ok") {
        findings.problems.push_back("the last snapshot failed");
    }
}

std::optional<std::int64_t> count_in(const Reply& reply, const std::string& key,
                                     Findings& findings) {
    if (reply.is(Reply::Type::kInteger)) return reply.integer;
    findings.problems.push_back("the key \"" + key + "\" cannot be read: " + reply_problem(reply));
    return std::nullopt;
}

Status<std::string> look_at_records(RedisSession& session, bool all, StoreContents& contents) {
    contents.complete = true;
    return each_key_page(session, [&](KeyPage&& page) {
        contents.looked_at += page.records.size() + page.problems.size();
        std::ranges::move(page.problems, std::back_inserter(contents.broken));
        if (all || contents.looked_at < kLookedAt) return true;
        contents.complete =
            contents.keys && contents.looked_at >= static_cast<std::size_t>(*contents.keys);
        return false;
    });
}

}  // namespace

InfoFields info_fields(std::string_view text) {
    InfoFields fields;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t colon = line.find(':');
        if (line.starts_with('#') || colon == line.npos) continue;
        fields[std::string(line.substr(0, colon))] = line.substr(colon + 1);
    }
    return fields;
}

ServerState read_server_state(const std::vector<Reply>& replies) {
    constexpr std::size_t kSections = 4;
    ServerState server;
    InfoFields fields;
    server.told = replies.size() > kSections;
    for (std::size_t i = 0; i < kSections && i < replies.size(); ++i) {
        server.told = server.told && replies[i].is(Reply::Type::kString);
        fields.merge(info_fields(replies[i].text));
    }
    if (!server.told) return server;
    server.version = value_of(fields, "redis_version");
    server.eviction = redis::read_eviction_policy(replies[1].text);
    server.aof = value_of(fields, "aof_enabled") == "1";
    server.aof_status = value_of(fields, "aof_last_write_status");
    server.rdb_status = value_of(fields, "rdb_last_bgsave_status");
    const std::int64_t offset = number_of(value_of(fields, "master_repl_offset"));
    for (const auto& [name, value] : fields) {
        const bool numbered =
            name.size() > 5 && name.starts_with("slave") && name[5] >= '0' && name[5] <= '9';
        if (numbered) server.replicas.push_back(read_replica(value, offset));
    }
    const Reply& save = replies[kSections];
    if (save.is(Reply::Type::kArray) && save.items.size() == 2) server.save = save.items[1].text;
    return server;
}

Result<ServerState, std::string> server_state(RedisSession& session) {
    const auto replies = session.read(
        {command({"INFO", "server"}), command({"INFO", "memory"}), command({"INFO", "persistence"}),
         command({"INFO", "replication"}), command({"CONFIG", "GET", "save"})});
    if (!replies) return fail(replies.error());
    ServerState server = read_server_state(*replies);
    server.address = session.endpoint().text();
    server.role = session.role();
    return server;
}

void judge(const ServerState& server, Findings& findings) {
    if (server.role != redis::Role::kMaster) {
        findings.problems.push_back(
            "it is a replica: what it has may be older than what is in force");
    }
    if (!server.told) {
        findings.warnings.push_back(
            "the user may not ask INFO: whether Redis keeps what it is given is not known");
        return;
    }
    judge_eviction(server, findings);
    judge_persistence(server, findings);
    for (const ReplicaState& replica : server.replicas) {
        if (replica.state == "online") continue;
        findings.warnings.push_back("replica " + replica.address + " is " + replica.state);
    }
}

Result<StoreContents, std::string> store_contents(RedisSession& session, Seconds now, bool all,
                                                  Findings& findings) {
    const auto& keys = session.keys();
    const auto replies =
        session.read({command({"GET", keys.epoch()}), command({"ZCARD", keys.keys()}),
                      command({"ZCARD", keys.revoked()}),
                      command({"ZCOUNT", keys.revoked(), "-inf", std::to_string(now)}),
                      command({"XLEN", keys.log()}),
                      command({"XREVRANGE", keys.log(), "+", "-", "COUNT", "1"})});
    if (!replies) return fail(replies.error());
    const std::vector<Reply>& answers = *replies;
    StoreContents contents;
    contents.epoch = answers[0].is(Reply::Type::kString) && !answers[0].text.empty();
    if (!contents.epoch) findings.problems.push_back(no_epoch(keys));
    contents.keys = count_in(answers[1], keys.keys(), findings);
    contents.revocations = count_in(answers[2], keys.revoked(), findings);
    if (contents.revocations) contents.past = count_in(answers[3], keys.revoked(), findings);
    contents.stream = count_in(answers[4], keys.log(), findings);
    if (contents.stream) {
        if (const auto last = redis::read_changes(answers[5]); !last) {
            findings.problems.push_back("nginx cannot follow the stream \"" + keys.log() +
                                        "\": " + last.error());
        }
    }
    if (contents.keys) {
        const auto looked = look_at_records(session, all, contents);
        if (!looked) return fail(looked.error());
    }
    for (const std::string& text : contents.broken) {
        findings.problems.push_back(text);
        if (!all) break;
    }
    return contents;
}

}  // namespace gate::ctl
