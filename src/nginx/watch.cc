#include "nginx/watch.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <variant>

#include "nginx/bridge.h"
#include "nginx/conf.h"
#include "nginx/news.h"
#include "nginx/ticker.h"
#include "nginx/watch_task.h"

namespace gate::nginx {

namespace {

constexpr ngx_msec_t kTick = 250;
constexpr ngx_msec_t kTaskTick = 10;
// A stamp this young at start may belong to two states of the file: the kernel's clock ticks in
// milliseconds, so a later write can leave it as it was.
constexpr std::int64_t kYoung = 2'000'000'000;

// Nanoseconds since the epoch.
std::int64_t wall_clock() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// One file of one block, as this worker sees it.
struct Watched {
    Watched(Block of, std::size_t at) : block(of), index(at) {}

    Block block;
    std::size_t index;
    std::optional<FileStamp> current;  // of what is in force
    std::optional<FileStamp> seen;     // at the last tick
    std::optional<FileStamp> refused;  // of what could not be used
    bool missing = false;              // at the last tick
    News news;
    std::string problem;  // "" while what is in force is what the file says

    SourceFile& file() const {
        return std::visit([this](auto* live) -> SourceFile& { return live->files[index]; }, block);
    }
};

class Watcher {
public:
    explicit Watcher(MainConf& main) : main_(main), started_(wall_clock()) {
        for (const auto& live : main.roles) add(live.get());
        for (const auto& live : main.issuers) add(live.get());
        for (const auto& live : main.stores) add(live.get());
        for (const auto& live : main.users) add(live.get());
    }

    bool empty() const { return watched_.empty(); }
    void catch_up();
    void start_timer();
    void stop_timer();
    void tick();
    void follow_task();
    std::string problem_of(const Block& block) const;

private:
    template <class Live>
    void add(Live* live) {
        for (std::size_t i = 0; i < live->files.size(); ++i) {
            Watched watched(Block(live), i);
            const FileStamp& stamp = live->files[i].stamp;
            if (stamp.changed < started_ - kYoung) watched.current = stamp;
            watched_.push_back(std::move(watched));
        }
    }

    void look(Watched& watched);
    void begin(Watched& watched, const FileStamp& stamp);
    void finish(Watched& watched, const FileStamp& stamp, Result<Renewal, LoadFailure> result);
    void accept(Watched& watched, Renewal renewal);
    void report(Watched& watched, const std::string& problem);
    void withdraw(Watched& watched);
    void share_roles(const LiveRoles& roles);

    MainConf& main_;
    std::int64_t started_;
    std::vector<Watched> watched_;
    std::unique_ptr<RenewalTask> task_;  // at most one is on its way
    Watched* task_for_ = nullptr;
    FileStamp task_stamp_;
    Ticker task_ticker_;  // while there is a task
    Ticker ticker_;
};

// One pointer per worker, between init_process and exit_process.
Watcher* watcher = nullptr;

// All workers see the same files: one of them speaks.
void say(ngx_uint_t level, const std::string& text) {
    if (ngx_worker != 0) return;
    const ngx_str_t line = str(text);
    ngx_log_error(level, ngx_cycle->log, 0, "gate: %V", &line);
}

void Watcher::start_timer() {
    ticker_.start(kTick, [] { watcher->tick(); });
}

void Watcher::stop_timer() {
    ticker_.stop();
    task_ticker_.stop();
}

// A worker that replaces a dead one has the master's start-up state: what changed since, and has
// been at rest for a tick, is taken over before the first request.
void Watcher::catch_up() {
    constexpr std::int64_t kRest = std::int64_t{kTick} * 1'000'000;
    // Beside workers of the same age the master's values are the last good ones: ticks do the rest.
    const bool replacement = started_ - std::int64_t{main_.loaded} * 1'000'000'000 > kYoung;
    for (Watched& watched : watched_) {
        const FileStamp at_start = watched.file().stamp;
        const auto stamp = stamp_of(watched.file().path);
        if (stamp && *stamp == at_start) continue;
        const bool at_rest = stamp && stamp->changed <= started_ - kRest;
        if (at_rest) finish(watched, *stamp, renew_block(watched.block, watched.index));
        const bool taken_over = stamp && watched.current == *stamp;
        if (replacement && !taken_over && !watched.file().start_value_only) withdraw(watched);
    }
}

std::string Watcher::problem_of(const Block& block) const {
    for (const Watched& watched : watched_) {
        if (watched.block == block && !watched.problem.empty()) {
            return '"' + watched.file().path + "\": " + watched.problem;
        }
    }
    return {};
}

// What the master read when nginx started is not what the other workers have taken over since: it
// may hold keys that were withdrawn. Until the file can be read again nothing of the block is in
// force.
void Watcher::withdraw(Watched& watched) {
    watched.file().digest = {};  // the text of the start is news when it comes back
    if (auto* issuer = std::get_if<LiveIssuer*>(&watched.block))
        nginx::withdraw(**issuer, watched.index);
    if (auto* store = std::get_if<LiveStore*>(&watched.block)) nginx::withdraw(**store);
    if (auto* users = std::get_if<LiveUsers*>(&watched.block)) nginx::withdraw(**users);
    if (auto* roles = std::get_if<LiveRoles*>(&watched.block)) {
        (*roles)->map = std::make_shared<const policy::RoleMap>();
        share_roles(**roles);
    }
    const std::string path = '"' + watched.file().path + '"';
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "gate: %s has changed since the start and cannot be read by this new worker; "
                  "nothing of it is in force here until it can",
                  path.c_str());
}

void Watcher::share_roles(const LiveRoles& roles) {
    for (const auto& issuer : main_.issuers) {
        if (issuer->roles == &roles) issuer->trusted.roles = roles.map;
    }
    for (const auto& store : main_.stores) {
        if (store->roles == &roles) store->store.roles = roles.map;
    }
}

void Watcher::tick() {
    for (Watched& watched : watched_) {
        const bool busy = task_for_ != nullptr && task_for_->block == watched.block;
        if (!busy) look(watched);
    }
}

void Watcher::look(Watched& watched) {
    const auto stamp = stamp_of(watched.file().path);
    if (!stamp) {
        // Replaced by way of unlink, a file is missing for a moment.
        if (watched.missing) report(watched, std::generic_category().message(stamp.error()));
        watched.missing = true;
        watched.seen.reset();
        watched.refused.reset();
        return;
    }
    watched.missing = false;
    if (watched.current == *stamp) {
        watched.problem.clear();
    } else if (watched.refused == *stamp) {
        report(watched, watched.problem);
    } else if (watched.seen == *stamp) {
        begin(watched, *stamp);
    } else {
        watched.seen = *stamp;
    }
}

void Watcher::begin(Watched& watched, const FileStamp& stamp) {
    const auto at_once = [&] { finish(watched, stamp, renew_block(watched.block, watched.index)); };
    // What was read at the start most likely says the same still: then nothing is parsed.
    const bool unchanged = stamp == watched.file().stamp;
    if (stamp.size <= (unchanged ? kUnchangedInlineSize : kInlineSize)) return at_once();
    if (task_) return;  // the next tick asks again
    try {
        task_ = std::make_unique<RenewalTask>(watched.block, watched.index);
    } catch (const std::system_error&) {
        return at_once();  // no thread to be had
    }
    task_for_ = &watched;
    task_stamp_ = stamp;
    task_ticker_.start(kTaskTick, [] { watcher->follow_task(); });
}

void Watcher::follow_task() {
    if (!task_->is_done()) return;
    task_ticker_.stop();
    Watched& watched = *task_for_;
    const std::unique_ptr<RenewalTask> task = std::move(task_);
    task_for_ = nullptr;
    finish(watched, task_stamp_, task->take_result());
}

void Watcher::finish(Watched& watched, const FileStamp& stamp,
                     Result<Renewal, LoadFailure> result) {
    const bool other = result && result->file.stamp != stamp;
    if (other || (!result && result.error().unstable)) {
        watched.seen.reset();
        return;
    }
    if (result) {
        accept(watched, std::move(*result));
        return;
    }
    // What the master read as root and this worker may not keeps its start-up value; nginx -t said
    // so.
    if (stamp == watched.file().stamp && access(watched.file().path.c_str(), R_OK) != 0) {
        watched.current = stamp;
        return;
    }
    watched.refused = stamp;
    report(watched, result.error().text);
}

void Watcher::accept(Watched& watched, Renewal renewal) {
    const std::string path = '"' + watched.file().path + '"';
    const bool news = !renewal.same_text || !watched.problem.empty();
    watched.current = renewal.file.stamp;
    watched.refused.reset();
    watched.problem.clear();
    for (const std::string& note : renewal.notes) say(NGX_LOG_WARN, path + ' ' + note);
    std::visit([&](auto* live) { take_over(*live, watched.index, std::move(renewal)); },
               watched.block);
    if (const auto* roles = std::get_if<LiveRoles*>(&watched.block)) share_roles(**roles);
    if (news) say(NGX_LOG_NOTICE, path + " taken over");
}

void Watcher::report(Watched& watched, const std::string& problem) {
    const std::string text = problem;
    watched.problem = text;
    if (!watched.news.is_news(text)) return;
    const bool roles = std::holds_alternative<LiveRoles*>(watched.block);
    const bool users = std::holds_alternative<LiveUsers*>(watched.block);
    say(NGX_LOG_ERR, '"' + watched.file().path + "\" not taken over: " + text + "; the last good " +
                         (roles   ? "roles"
                          : users ? "users"
                                  : "keys") +
                         " stay in force");
}

}  // namespace

ngx_int_t start_watching(ngx_cycle_t* cycle) {
    auto* main =
        static_cast<MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_gate_module));
    if (main == nullptr) return NGX_OK;
    auto created = std::make_unique<Watcher>(*main);
    if (created->empty()) return NGX_OK;
    watcher = created.release();
    watcher->catch_up();
    watcher->start_timer();
    return NGX_OK;
}

std::string problem_of_files(const Block& block) {
    return watcher != nullptr ? watcher->problem_of(block) : std::string();
}

void stop_watching() {
    if (watcher == nullptr) return;
    watcher->stop_timer();
    delete watcher;
    watcher = nullptr;
}

}  // namespace gate::nginx
