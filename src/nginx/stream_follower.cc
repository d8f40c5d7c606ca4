#include "nginx/stream_follower.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/siphash.h"
#include "nginx/alarm.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/conf.h"
#include "nginx/lead.h"
#include "nginx/redis_client.h"
#include "nginx/redis_node.h"
#include "nginx/store_changes.h"
#include "nginx/stream_state.h"
#include "nginx/ticker.h"
#include "redis/change.h"
#include "redis/command.h"
#include "redis/stream_info.h"

namespace gate::nginx {

namespace {

using cache::StreamState;
using redis::Change;
using redis::LinkFailure;
using redis::Reply;
using redis::StreamId;

constexpr ngx_msec_t kCheckInterval = 1000;  // of the epoch, and for gaps
constexpr ngx_msec_t kUseless = 2000;        // a leader without connection lets others try
constexpr ngx_msec_t kModesty = 1000;
constexpr ngx_msec_t kBusyPause = 10;   // until the zone's lock is tried again
constexpr ngx_msec_t kPatience = 5000;  // for one page of the set
constexpr std::string_view kPage = "1000";
constexpr redis::ReplyLimits kLimits{
    .octets = std::size_t{64} << 20, .elements = std::size_t{1} << 20, .depth = 6};

class Follower final : private RedisNode::Owner, private redis::Caller {
public:
    Follower(const MainConf& main, const StreamConf& stream, StreamState& state);
    void tick();
    void stop() noexcept { lead_.resign(); }

private:
    // What the answer that is awaited answers.
    enum class Step : std::uint8_t { kNone, kGreet, kMark, kScan, kCheck, kFollow };

    bool accepts(RedisNode& node, redis::Role role, std::string& why) override;
    void node_up(RedisNode&) override { greet(); }
    void node_down(RedisNode& node, bool was_up) override;
    void answered(std::vector<Reply> replies) override;
    void failed(LinkFailure failure) override;

    void resign();
    void connect();
    void leave();

    using Commands = std::initializer_list<std::initializer_list<std::string_view>>;
    void ask(Step step, Commands commands, ngx_msec_t patience);
    void greet();
    void greeted(const std::vector<Reply>& replies);
    void checked(const std::vector<Reply>& replies);
    void check();
    bool digest_epoch(const Reply& epoch);
    void mark();
    void marked(const std::vector<Reply>& replies);
    void scan();
    void scanned(const Reply& page);
    void follow();
    void followed(const Reply& reply);
    void late() { node_->leave(LinkFailure::kTimeout, "no answer within timeout"); }
    void distrust(std::string why);
    void apply();
    void go_on();

    const RedisConf& conf_;
    cache::Zone& zone_;
    StreamState& state_;
    const std::uint64_t place_;
    // Each nil proves the link; until the next one the proof becomes two of these old, which has to
    // stay below max_lag.
    const ngx_msec_t block_;
    Lead lead_;
    std::unique_ptr<RedisNode> node_;
    Alarm deadline_;
    Alarm retry_;
    StoreChanges changes_;
    Step step_ = Step::kNone;
    ngx_msec_t asked_ = 0;  // when the answer that is awaited was asked for
    ngx_msec_t load_started_ = 0;
    StreamId reached_;         // with what is being applied
    std::string cursor_;       // of the set while it is loaded
    std::uint64_t epoch_ = 0;  // of the store as it is now
    ngx_msec_t checked_ = 0;   // when it was asked for last
    ngx_msec_t useful_ = 0;    // when the connection was there last; 0: nobody has looked
    ngx_msec_t modest_ = 0;    // until when others may take the lead
    bool loading_ = false;
    bool full_reported_ = false;
};

Follower::Follower(const MainConf& main, const StreamConf& stream, StreamState& state)
    : conf_(*stream.redis),
      zone_(*main.zone->zone),
      state_(state),
      place_(stream.place),
      block_(std::min(RedisLink::kLongestBlock, stream.max_lag / 4)),
      lead_(state.lead),
      deadline_(call_member<Follower, &Follower::late>, this),
      retry_(call_member<Follower, &Follower::apply>, this),
      changes_(zone_, main, conf_) {}

// ---- who leads; two do no harm: ids of the stream only go back, and are applied twice

void Follower::connect() {
    RedisClient* const client = redis_client(conf_);
    const RedisServer* const server =
        client != nullptr ? client->server_for(conf_.keys.log()) : nullptr;
    if (server == nullptr) return;
    if (!node_ || node_->endpoint() != server->endpoint) {
        leave();
        RedisNode::Owner& owner = *this;
        node_ = std::make_unique<RedisNode>(conf_, owner, *server, kLimits);
    }
    node_->connect();
}

void Follower::leave() {
    deadline_.stop();
    retry_.stop();
    if (node_) node_->retire();
    step_ = Step::kNone;
}

void Follower::resign() {
    lead_.resign();
    leave();
}

void Follower::tick() {
    if (ngx_exiting) {
        if (lead_.taken()) resign();
        return;
    }
    if (!lead_.taken() && (ngx_current_msec < modest_ || !lead_.try_take())) return;
    if (!lead_.held()) return resign();
    lead_.beat();
    connect();
    if ((node_ && node_->ready()) || useful_ == 0) useful_ = ngx_current_msec;
    if (ngx_current_msec - useful_ < kUseless) return;
    // This worker may be the only one that cannot connect.
    modest_ = ngx_current_msec + kModesty;
    useful_ = 0;
    resign();
}

bool Follower::accepts(RedisNode& /*node*/, redis::Role role, std::string& why) {
    if (role == redis::Role::kMaster) return true;
    why = "it is no master: what it has may be older than what is in force";
    return false;
}

void Follower::node_down(RedisNode& /*node*/, bool /*was_up*/) {
    if (RedisClient* const client = redis_client(conf_)) client->doubt();
}

// ---- questions and answers

void Follower::ask(Step step, Commands commands, ngx_msec_t patience) {
    std::string octets;
    for (const auto& command : commands) redis::append_command(octets, command);
    if (!node_->send(*this, octets, commands.size())) return;
    step_ = step;
    asked_ = ngx_current_msec;
    deadline_.set(patience);
}

void Follower::failed(LinkFailure /*failure*/) {
    step_ = Step::kNone;
    deadline_.stop();
    retry_.stop();
}

void Follower::distrust(std::string why) {
    if (RedisClient* const client = redis_client(conf_)) client->doubt();
    node_->leave(LinkFailure::kProtocol, std::move(why));
}

void Follower::answered(std::vector<Reply> replies) {
    deadline_.stop();
    const Step step = std::exchange(step_, Step::kNone);
    if (!lead_.held()) return resign();
    for (const Reply& reply : replies) {
        if (reply.is(Reply::Type::kError) && !redis::is_no_such_key(reply)) {
            return distrust("it answers " + log_escaped(reply.text, 100));
        }
    }
    switch (step) {
        case Step::kGreet:
            return greeted(replies);
        case Step::kMark:
            return marked(replies);
        case Step::kScan:
            return scanned(replies[0]);
        case Step::kCheck:
            return checked(replies);
        case Step::kFollow:
            return followed(replies[0]);
        case Step::kNone:
            return;
    }
}

// Whether the store is the one that was followed until now, and still has the entry up to which
// nothing was missing then.
void Follower::greet() {
    const std::string place = place_of(state_).text();
    ask(Step::kGreet, {{"GET", conf_.keys.epoch()}, {"XRANGE", conf_.keys.log(), place, place}},
        conf_.timeout);
}

void Follower::greeted(const std::vector<Reply>& replies) {
    epoch_ = 0;
    loading_ = false;
    if (!digest_epoch(replies[0])) return;
    const bool same = epoch_ == state_.epoch.load();
    const bool there = replies[1].is(Reply::Type::kArray) && replies[1].items.size() == 1;
    reached_ = place_of(state_);
    if (!same || !there) return mark();
    state_.place.store(place_);
    follow();
}

// The stream of a store that was emptied says nothing of it, nor does XREAD report a gap.
void Follower::check() {
    ask(Step::kCheck, {{"GET", conf_.keys.epoch()}, {"XINFO", "STREAM", conf_.keys.log()}},
        conf_.timeout);
}

// What was read since the last look is all there was if nothing behind that place is gone by now.
void Follower::checked(const std::vector<Reply>& replies) {
    if (!digest_epoch(replies[0])) return;
    const auto stream = redis::read_stream_info(replies[1]);
    if (!stream) return distrust("its stream cannot be read");
    if (!stream->whole_behind(place_of(state_))) {
        complain_of(conf_,
                    "its stream was trimmed before it was read; all of the store is loaded anew");
        return mark();
    }
    move_place(state_, reached_);
    follow();
}

// False: the store is not what it was, or has lost what it had; the connection is closed then.
bool Follower::digest_epoch(const Reply& epoch) {
    if (RedisClient* const client = redis_client(conf_)) client->heard_epoch(epoch.text);
    if (!epoch.is(Reply::Type::kString) || epoch.text.empty()) {
        distrust("the key \"" + conf_.keys.epoch() +
                 "\" is missing: the store is empty or was never set up; what is revoked stays so");
        return false;
    }
    const std::uint64_t digest = siphash64(zone_.seed(), bytes_of(epoch.text)) | 1;
    if (epoch_ != 0 && epoch_ != digest) {
        distrust("its epoch has changed");
        return false;
    }
    epoch_ = digest;
    checked_ = ngx_current_msec;
    return true;
}

// The end of the stream is noted before the set is read: what comes in between is applied twice,
// which does no harm.
void Follower::mark() {
    // Which keys have changed meanwhile is not known either.
    state_.records_since.store(static_cast<std::uint64_t>(monotonic_seconds() + 1));
    loading_ = true;
    load_started_ = ngx_current_msec;
    ask(Step::kMark, {{"XINFO", "STREAM", conf_.keys.log()}}, conf_.timeout);
}

void Follower::marked(const std::vector<Reply>& replies) {
    const auto stream = redis::read_stream_info(replies[0]);
    if (!stream) return distrust("its stream cannot be read");
    reached_ = stream->last;
    cursor_ = "0";
    scan();
}

void Follower::scan() {
    ask(Step::kScan, {{"ZSCAN", conf_.keys.revoked(), cursor_, "COUNT", kPage}},
        std::max(conf_.timeout, kPatience));
}

void Follower::scanned(const Reply& page) {
    const std::vector<Reply>* const items = redis::items_of_zscan(page, cursor_);
    if (items == nullptr) return distrust("its set of what is revoked cannot be read");
    for (auto item = items->begin(); item != items->end(); item += 2) {
        if (!changes_.add_scored(item[0].text, item[1].text)) complain_of_item(conf_, item->text);
    }
    apply();
}

void Follower::follow() {
    ask(Step::kFollow,
        {{"XREAD", "COUNT", kPage, "BLOCK", std::to_string(block_), "STREAMS", conf_.keys.log(),
          reached_.text()}},
        block_ + conf_.timeout);
}

void Follower::followed(const Reply& reply) {
    bool good = false;
    const Reply* const entries = redis::entries_of_xread(reply, conf_.keys.log(), good);
    if (!good) return distrust("its stream cannot be read");
    if (entries != nullptr) {
        const auto read = redis::read_changes(*entries);
        // Behind an entry that nobody of ours wrote the set still says all.
        if (!read) {
            complain_of(conf_, "its stream cannot be read: " + read.error() +
                                   "; all of the store is loaded anew");
            return mark();
        }
        for (const Change& change : *read) {
            if (!changes_.add(change)) complain_of_item(conf_, change.item);
            reached_ = change.id;
        }
    }
    apply();
}

// ---- into the zone

void Follower::apply() {
    if (!lead_.held()) return resign();
    if (!changes_.apply()) return retry_.set(kBusyPause);
    if (changes_.full() && !std::exchange(full_reported_, true)) {
        complain_of(
            conf_,
            "the zone has no room for more revocations: credentials are refused with 503; make "
            "gate_zone larger");
    }
    go_on();
}

void Follower::go_on() {
    if (loading_ && cursor_ != "0") return scan();
    // What was asked for then has been answered in full.
    const ngx_msec_t proven = loading_ ? load_started_ : asked_;
    if (std::exchange(loading_, false)) {
        move_place(state_, reached_);
        state_.epoch.store(epoch_);
        state_.place.store(place_);
        // Where the lock is taken, a key of before is known for the rest of its second.
        if (const auto writer = zone_.try_write()) zone_.revocations.note_change();
    }
    state_.in_step.store(proven);
    ngx_current_msec - checked_ < kCheckInterval ? follow() : check();
}

// One for each store that is followed, between init_process and exit_process.
struct Followers {
    std::vector<std::unique_ptr<Follower>> all;
    Ticker ticker;
};
Followers* followers = nullptr;

}  // namespace

void start_followers(const MainConf& main) {
    if (!main.zone || main.zone->streams.empty()) return;
    followers = new Followers;
    for (const StreamConf& stream : main.zone->streams) {
        StreamState* const state = state_of(*main.zone, stream);
        if (state == nullptr) continue;  // which refuses everybody: see lag_of()
        for (const auto& live : main.stores) {
            if (live->redis == stream.redis) live->changes = state;
        }
        followers->all.push_back(std::make_unique<Follower>(main, stream, *state));
        followers->all.back()->tick();
    }
    followers->ticker.start(Lead::kHeartbeat, [] {
        for (const auto& follower : followers->all) follower->tick();
    });
}

void stop_followers() noexcept {
    if (followers == nullptr) return;
    followers->ticker.stop();
    for (const auto& follower : followers->all) follower->stop();
    delete followers;
    followers = nullptr;
}

}  // namespace gate::nginx
