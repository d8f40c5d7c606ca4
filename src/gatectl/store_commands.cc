// gatectl store init, check.
#include <array>

#include "base/bytes.h"
#include "base/json_object.h"
#include "base/text_list.h"
#include "crypto/digest.h"
#include "gatectl/command.h"
#include "gatectl/output.h"
#include "gatectl/redis_change.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_session.h"
#include "gatectl/store_check.h"

namespace gate::ctl {

namespace {

using redis::Reply;

constexpr std::size_t kEpochOctets = 16;

// Options, or what is to be said of usage.
Result<RedisOptions, std::string> store_option(const Arguments& arguments) {
    auto options = redis_options(arguments, false);
    if (!options) return fail(options.error());
    if (!*options) return fail(std::string("which store? Give --redis ADDRESS"));
    return **std::move(options);
}

void warn(Io& io, std::string_view text) {
    io.err << "gatectl: warning: " << printable(text) << '\n';
}

// ---- init

// SET once at whoever has the key, which may be another node than the first one asked.
Result<Reply, std::string> set_epoch(RedisSession& session, const std::string& epoch, bool force) {
    const std::string key = session.keys().epoch();
    const std::string set =
        force ? command({"SET", key, epoch}) : command({"SET", key, epoch, "NX"});
    const Deadline end = session.deadline();
    for (;;) {
        const auto replies = session.ask({set}, RedisSession::Form::kSingles);
        if (replies) return replies->front();
        if (!replies.error().again || end.left() == 0) return fail(replies.error().text);
    }
}

void warn_of_server(RedisSession& session, Io& io) {
    const auto server = server_state(session);
    if (!server) return warn(io, server.error());
    Findings findings;
    judge(*server, findings);
    for (const std::string& text : findings.problems) warn(io, text);
    for (const std::string& text : findings.warnings) warn(io, text);
}

int run_init(const Arguments& arguments, Io& io) {
    const auto options = store_option(arguments);
    if (!options) return misuse(io, options.error());
    std::array<std::uint8_t, kEpochOctets> random{};
    if (!crypto::random_bytes(random)) return refuse(io, "the machine has no entropy");
    const std::string epoch = to_hex(random);
    const auto session = RedisSession::open(*options);
    if (!session) return refuse(io, session.error());
    const auto reply = set_epoch(**session, epoch, arguments.has("force"));
    if (!reply) return refuse(io, reply.error());
    const std::string server = (*session)->endpoint().text();
    if (reply->is(Reply::Type::kNil)) {
        return refuse(io, server +
                              ": the store is set up already; --force makes every node load it "
                              "anew");
    }
    if (!reply->is_status("OK")) return refuse(io, server + ": " + reply_problem(*reply));
    Outcome outcome;
    wait_for_replicas(**session, outcome);
    if (arguments.has("json")) {
        io.out << JsonObject().text("epoch", epoch).str() << '\n';
    } else {
        io.out << "the store \"" << (*session)->keys().prefix() << "\" at " << server
               << " is set up\n";
    }
    warn_of_server(**session, io);
    return conclude(io, outcome);
}

// ---- check

std::string role_name(redis::Role role) {
    return role == redis::Role::kMaster ? "master" : "replica";
}

std::string text_or_unknown(const std::string& text) {
    return text.empty() ? "not known" : text;
}

std::string count_or_unknown(std::optional<std::int64_t> count) {
    return count ? std::to_string(*count) : "not known";
}

std::string persistence_text(const ServerState& server) {
    if (!server.told) return "not known";
    std::string text = "append-only file " + std::string(server.aof ? "on" : "off");
    if (server.aof) text += " (last write " + server.aof_status + ")";
    text += ", snapshots ";
    text += !server.save ? "not known" : server.save->empty() ? "off" : "\"" + *server.save + "\"";
    if (!server.save || !server.save->empty()) text += " (last one " + server.rdb_status + ")";
    return text;
}

std::string replica_text(const ReplicaState& replica) {
    std::string text = replica.address + " " + replica.state;
    if (replica.lag >= 0) text += ", heard of " + std::to_string(replica.lag) + " s ago";
    if (replica.behind >= 0) text += ", " + std::to_string(replica.behind) + " octets behind";
    return text;
}

std::string eviction_text(const ServerState& server) {
    if (!server.eviction) return "not known";
    return server.eviction->name + (server.eviction->bounded ? "" : ", memory unbounded");
}

void print_text(std::ostream& out, const ServerState& server, const StoreContents& contents) {
    std::vector<std::string> replicas;
    for (const ReplicaState& replica : server.replicas) replicas.push_back(replica_text(replica));
    const std::string broken =
        contents.broken.empty() ? "none" : std::to_string(contents.broken.size());
    const std::vector<std::pair<std::string, std::string>> rows{
        {"server", server.address + " (" + role_name(server.role) + ", Redis " +
                       text_or_unknown(server.version) + ")"},
        {"epoch", contents.epoch ? "there" : "missing"},
        {"eviction", eviction_text(server)},
        {"persistence", persistence_text(server)},
        {"replicas", joined(replicas, "; ", "none")},
        {"keys", count_or_unknown(contents.keys)},
        {"revocations", count_or_unknown(contents.revocations) + " (" +
                            count_or_unknown(contents.past) + " of them past)"},
        {"stream", count_or_unknown(contents.stream) + " entries"},
        {"records", std::to_string(contents.looked_at) +
                        (contents.complete ? " looked at, all, " : " looked at, not all, ") +
                        broken + " broken"}};
    for (const auto& [name, value] : rows) {
        std::string label = name;
        label.resize(13, ' ');
        out << label << printable(value) << '\n';
    }
}

void add_count(JsonObject& object, std::string_view name, std::optional<std::int64_t> count) {
    if (count) {
        object.number(name, *count);
    } else {
        object.raw(name, "null");
    }
}

void print_json(std::ostream& out, const ServerState& server, const StoreContents& contents,
                const Findings& findings) {
    std::vector<std::string> replicas;
    for (const ReplicaState& replica : server.replicas) {
        JsonObject object;
        object.text("address", replica.address).text("state", replica.state);
        replicas.push_back(
            object.number("lag", replica.lag).number("behind", replica.behind).str());
    }
    JsonObject object;
    object.text("server", server.address).text("role", role_name(server.role));
    object.text("version", server.version).boolean("epoch", contents.epoch);
    object.text("maxmemory_policy", server.eviction ? server.eviction->name : "")
        .boolean("aof", server.aof);
    object.text("aof_last_write", server.aof_status).text("rdb_last_save", server.rdb_status);
    server.save ? object.text("save", *server.save) : object.raw("save", "null");
    object.raw("replicas", json_array(replicas));
    add_count(object, "keys", contents.keys);
    add_count(object, "revocations", contents.revocations);
    add_count(object, "past", contents.past);
    add_count(object, "stream", contents.stream);
    object.number("records_checked", static_cast<std::int64_t>(contents.looked_at));
    object.boolean("all_records", contents.complete).texts("broken", contents.broken);
    object.texts("problems", findings.problems).texts("warnings", findings.warnings);
    out << object.str() << '\n';
}

int run_check(const Arguments& arguments, Io& io) {
    const auto options = store_option(arguments);
    if (!options) return misuse(io, options.error());
    const auto session = RedisSession::open(*options, RedisSession::Need::kAny);
    if (!session) return refuse(io, session.error());
    const auto server = server_state(**session);
    if (!server) return refuse(io, server.error());
    Findings findings;
    judge(*server, findings);
    const auto contents = store_contents(**session, io.now, arguments.has("all"), findings);
    if (!contents) return refuse(io, contents.error());
    if (arguments.has("json")) {
        print_json(io.out, *server, *contents, findings);
    } else {
        print_text(io.out, *server, *contents);
    }
    for (const std::string& text : findings.warnings) warn(io, text);
    for (const std::string& text : findings.problems) refuse(io, printable(text));
    return findings.problems.empty() ? kDone : kRefused;
}

constexpr Option kJson{"json", "", "print JSON"};
constexpr std::array kInitOptions{Option{"force", "", "a new epoch for a store that has one"},
                                  kJson};
constexpr std::array kCheckOptions{Option{"all", "", "look at every record (at the first 1000)"},
                                   kJson};

constexpr std::array<Command, 2> kCommands{{
    {"store init", "", "Set a store in Redis up, so that it takes keys and revocations",
     "Writes the epoch, by which nginx knows the store from one that has lost its data: without "
     "it\n"
     "keys are answered 503 and gatectl changes nothing. If the data was lost, restore it first:\n"
     "after init, what is not there does not exist.\n"
     "With --force a store gets a new epoch, and every node forgets which keys it knew and loads\n"
     "what is revoked anew; what is revoked in its memory already stays so.",
     kInitOptions, 0, 0, run_init, kRedisChangeOptions},
    {"store check", "", "Tell what a store in Redis is like, and whether it keeps what it is given",
     "Exit status 1 where something has lost, or would lose, keys or revocations: no epoch, no "
     "copy\n"
     "on disk, eviction, a replica, a broken record.",
     kCheckOptions, 0, 0, run_check, kRedisViewOptions},
}};

}  // namespace

std::span<const Command> store_commands() {
    return kCommands;
}

}  // namespace gate::ctl
