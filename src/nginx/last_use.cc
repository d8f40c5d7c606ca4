#include "nginx/last_use.h"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "nginx/bridge.h"
#include "nginx/redis_client.h"
#include "nginx/ticker.h"
#include "nginx/turns.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

// So that all workers of a node together write no more than a few times a second.
constexpr ngx_msec_t kInterval = 10'000;
constexpr ngx_msec_t kIntervalOfWorker = 200;
constexpr std::size_t kMaxKeys = 10'000;  // of a store in one batch; more are left out

using Uses = std::unordered_map<std::string, time_t>;  // id of a key, second of its last use

// Writes one batch; what does not arrive is not written again, for newer uses will be.
class Batch final : public redis::Caller {
public:
    void write(RedisClient& client, const Uses& uses) {
        if (busy_) return;
        const std::string key = client.conf().keys.used();
        std::vector<std::string> texts{"HSET", key};
        for (const auto& [id, when] : uses) {
            texts.push_back(id);
            texts.push_back(std::to_string(when));
        }
        const std::vector<std::string_view> words(texts.begin(), texts.end());
        std::vector<std::string> commands(1);
        redis::append_command(commands[0], words);
        busy_ = !client.ask(*this, key, std::move(commands));
    }
    void answered(std::vector<redis::Reply> replies) override {
        busy_ = false;
        if (replies.front().is(redis::Reply::Type::kError)) report(replies.front().text);
    }
    void failed(redis::LinkFailure /*failure*/) override { busy_ = false; }

private:
    void report(const std::string& error) {
        if (std::exchange(reported_, true)) return;
        const std::string shown = log_escaped(error, 100);
        ngx_str_t text = str(shown);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "gate: the last use of API keys cannot be written: %V", &text);
    }

    bool busy_ = false;
    bool reported_ = false;
};

struct LastUse {
    std::map<const RedisConf*, Uses> uses;
    std::map<const RedisConf*, Batch> batches;
    Ticker ticker;
};
LastUse* last_use = nullptr;

void write_all() {
    for (auto& [conf, uses] : last_use->uses) {
        RedisClient* const client = redis_client(*conf);
        if (uses.empty() || client == nullptr) continue;
        last_use->batches[conf].write(*client, uses);
        uses.clear();
    }
}

}  // namespace

void note_use(const LiveStore& live, const apikey::Record& record) {
    if (last_use == nullptr || live.redis == nullptr) return;
    Uses& uses = last_use->uses[live.redis];
    if (uses.size() < kMaxKeys || uses.contains(record.id)) uses[record.id] = ngx_time();
}

void start_last_use() {
    last_use = new LastUse;
    last_use->ticker.start(kInterval + worker_count() * kIntervalOfWorker, write_all);
}

void stop_last_use() noexcept {
    if (last_use == nullptr) return;
    last_use->ticker.stop();
    delete last_use;
    last_use = nullptr;
}

}  // namespace gate::nginx
