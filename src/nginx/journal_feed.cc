#include "nginx/journal_feed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/news.h"
#include "nginx/stream_state.h"
#include "nginx/ticker.h"

namespace gate::nginx {

namespace {

using cache::JournalState;

constexpr ngx_msec_t kTick = 250;
constexpr ngx_msec_t kPause = 2;           // between slices while there is more to do
constexpr std::int64_t kSlice = 2000;      // microseconds
constexpr std::size_t kSweepBuckets = 64;  // each time the zone's lock is held

class Feeds;

// One pointer per worker, between init_process and exit_process.
Feeds* feeds = nullptr;

class Feeds {
public:
    explicit Feeds(ZoneConf& conf) : conf_(conf) {
        for (const JournalConf& journal : conf.journals) {
            readers_.emplace_back(journal, *conf.zone);
        }
    }
    void start();
    void stop() { ticker_.stop(); }
    void tick();

private:
    struct Feed {
        Feed(const JournalConf& conf, cache::Zone& zone) : reader(conf, zone) {}
        JournalReader reader;
        News news;
    };
    void report(Feed& feed);
    void sweep();

    ZoneConf& conf_;
    std::vector<Feed> readers_;
    std::size_t sweep_at_ = 0;
    Ticker ticker_;
};

void Feeds::start() {
    ticker_.start(kTick, [] { feeds->tick(); });
}

void Feeds::tick() {
    bool more = false;
    for (Feed& feed : readers_) {
        const auto step = feed.reader.step(kSlice);
        // Where another worker is at it one core is enough: this one looks again at its next tick.
        more = more || step == JournalReader::Step::kMore;
        if (step == JournalReader::Step::kProblem || feed.reader.full()) report(feed);
    }
    if (ngx_worker == 0) sweep();
    if (more) ticker_.hurry(kPause);
}

void Feeds::sweep() {
    const auto writer = conf_.zone->try_write();
    if (!writer) return;
    sweep_at_ = conf_.zone->revocations.sweep(sweep_at_, kSweepBuckets,
                                              static_cast<std::uint32_t>(ngx_time()));
}

// All workers see the same file: one of them speaks. A full set was seen by the one that filled it.
void Feeds::report(Feed& feed) {
    const bool full = feed.reader.problem().empty();
    if (!full && ngx_worker != 0) return;
    const std::string text =
        full ? "the zone has no room for more revocations: credentials are refused with 503; make "
               "gate_zone larger"
             : "revocations of \"" + feed.reader.conf().path +
                   "\" cannot be followed: " + feed.reader.problem() +
                   "; what was read stays in force";
    if (!feed.news.is_news(text)) return;
    const ngx_str_t line = str(text);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "gate: %V", &line);
}

// The journal below state= is there before the first revocation, and belongs to whoever owns the
// directory: the workers, for whom nginx made it.
bool prepare(const JournalConf& journal, ngx_log_t* log) {
    if (!journal.ours || ngx_test_config) return true;
    const int fd = open(journal.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0 && errno == EEXIST) return true;
    if (fd < 0) {
        ngx_log_error(NGX_LOG_EMERG, log, errno, "gate_zone: \"%s\" cannot be made",
                      journal.path.c_str());
        return false;
    }
    struct stat directory {};
    const std::string above = journal.path.substr(0, journal.path.rfind('/'));
    bool good = stat(above.c_str(), &directory) == 0;
    if (good && geteuid() == 0) good = fchown(fd, directory.st_uid, directory.st_gid) == 0;
    close(fd);
    if (!good) {
        ngx_log_error(NGX_LOG_EMERG, log, errno, "gate_zone: \"%s\" cannot be given to the workers",
                      journal.path.c_str());
    }
    return good;
}

ngx_int_t load(ZoneConf& conf, const JournalConf& journal, ngx_log_t* log) {
    constexpr std::int64_t kLong = 1'000'000;  // microseconds
    constexpr std::uint64_t kPatience = 10'000;
    if (!prepare(journal, log)) return NGX_ERROR;
    JournalReader reader(journal, *conf.zone);
    const char* problem = nullptr;
    std::uint64_t progress = monotonic_milliseconds();
    std::uint64_t lines = reader.lines();
    JournalReader::Step step;
    while ((step = reader.step(kLong)) == JournalReader::Step::kMore ||
           step == JournalReader::Step::kElsewhere) {
        if (reader.lines() != lines) progress = monotonic_milliseconds();
        lines = reader.lines();
        if (monotonic_milliseconds() - progress > kPatience) {
            problem = "another process is reading it and does not get on";
            break;
        }
        usleep(500);
    }
    if (step == JournalReader::Step::kProblem) problem = reader.problem().c_str();
    if (problem == nullptr && reader.full()) {
        problem = "the zone is too small for its entries; make gate_zone larger";
    }
    if (problem == nullptr) return NGX_OK;
    ngx_log_error(NGX_LOG_EMERG, log, 0, "gate: revocations of \"%s\" cannot be loaded: %s%s",
                  journal.path.c_str(), problem,
                  step == JournalReader::Step::kProblem
                      ? "; see \"gatectl revoke check\", nothing is served until it is repaired"
                      : "");
    return NGX_ERROR;
}

}  // namespace

ngx_int_t load_journals(ZoneConf& conf, ngx_log_t* log) {
    for (const JournalConf& journal : conf.journals) {
        if (load(conf, journal, log) != NGX_OK) return NGX_ERROR;
    }
    return NGX_OK;
}

bool lags(const ZoneConf& conf) noexcept {
    for (const JournalConf& journal : conf.journals) {
        if (journal.serve_when_late) continue;
        const auto lag = lag_of(conf, journal);
        if (!lag || *lag > journal.max_lag) return true;
    }
    for (const StreamConf& stream : conf.streams) {
        const auto lag = lag_of(conf, stream);
        // Of a store that was never loaded nothing is known, which nobody asked to be served.
        if (!lag || (*lag > stream.max_lag && !stream.serve_when_late)) return true;
    }
    return false;
}

void copy_journal_states(cache::Zone& old, cache::Zone& fresh) {
    for (std::size_t i = 0; i < cache::kJournals; ++i) {
        const JournalState& from = old.journals()[i];
        JournalState& to = fresh.journals()[i];
        to.path_digest.store(from.path_digest.load());
        to.offset.store(from.offset.load());
        to.line.store(from.line.load());
        to.device.store(from.device.load());
        to.inode.store(from.inode.load());
        to.changed.store(from.changed.load());
        to.tail.store(from.tail.load());
    }
}

void start_journal_feeds(ZoneConf& conf) {
    if (conf.journals.empty() || !conf.zone) return;
    feeds = new Feeds(conf);
    feeds->start();
}

void stop_journal_feeds() {
    if (feeds == nullptr) return;
    feeds->stop();
    delete feeds;
    feeds = nullptr;
}

}  // namespace gate::nginx
