// Token buckets and counters against models: a bucket is a credit in nanoseconds that grows with
// the clock up to kMaxSpan, a counter an entry of a map. The first line is a rate, the second a
// burst; then one operation a line, a letter, a blank and what it is about:
//
//     c 2 500000000    500 ms pass, then key 2 is charged        l  looked at        r  refunded
//     n some labels    counts one for these labels
//     x 99             charges that many other keys, which may crowd out the four of the model
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/siphash.h"
#include "cache/counters.h"
#include "cache/token_bucket.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using cache::Charge;
using cache::Counters;
using cache::Rate;
using cache::TokenBuckets;

constexpr std::size_t kSeries = 16;
constexpr std::uint64_t kMaxBurst = 1'000'000;

struct alignas(64) Memory {
    std::array<std::byte, 4 * 64> buckets = {};
    std::array<std::byte, kSeries* Counters::kSeriesSize> counters = {};
};

std::uint64_t number(std::string_view text, std::uint64_t most) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value > most ? most : value;
}

std::uint64_t digest_of(std::string_view text) {
    const SipDigest digest = siphash128(SipKey{}, bytes_of(text));
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word = word << 8 | digest[i];
    return word | 1;
}

// The interval by the text's own words, spelled back: the one text that means this rate.
void check_rate(std::string_view text, const std::optional<std::uint64_t>& interval) {
    if (!interval) return;
    const std::uint64_t count = number(text, ~std::uint64_t{0});
    const char unit = text.back();
    GATE_INVARIANT(text == std::to_string(count) + "r/" + unit);
    const std::uint64_t seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86400;
    GATE_INVARIANT(unit == 's' || unit == 'm' || unit == 'h' || unit == 'd');
    GATE_INVARIANT(*interval >= 1000 && *interval <= seconds * 1'000'000'000);
    const std::uint64_t period = *interval * count;
    const std::uint64_t exact = seconds * 1'000'000'000;
    GATE_INVARIANT((period > exact ? period - exact : exact - period) <= count / 2 + 1);
}

struct Model {
    std::uint64_t credit;
    std::uint64_t seen = 0;
};

class Run {
public:
    explicit Run(const Rate& rate)
        : rate_(rate),
          // The product of the slowest rate and the greatest burst has more than 64 bits.
          span_(rate.burst > TokenBuckets::kMaxSpan / rate.interval ? TokenBuckets::kMaxSpan
                                                                    : rate.interval * rate.burst),
          models_(4, Model{span_}) {}

    void step(std::string_view line) {
        if (line.size() < 3 || line[1] != ' ') return;
        const std::string_view rest = line.substr(2);
        if (line[0] == 'n') return count(rest);
        if (line[0] == 'x') return crowd(number(rest, 100));
        const std::size_t key = static_cast<std::uint8_t>(rest[0]) % models_.size();
        now_ += number(rest.size() > 2 ? rest.substr(2) : "", std::uint64_t{1} << 40);
        Model& model = models_[key];
        model.credit = std::min(span_, model.credit + (now_ - model.seen));
        model.seen = now_;
        if (line[0] == 'r') {
            buckets_.refund(key_of(key), rate_, now_);
            model.credit = std::min(span_, model.credit + rate_.interval);
        } else {
            charge(key, line[0] == 'c');
        }
    }

    void check_counters() const {
        std::uint64_t sum = counters_.value(Counters::kOverflow);
        for (const auto& [labels, series] : series_) {
            GATE_INVARIANT(counters_.labels(series) == labels);
            GATE_INVARIANT(counters_.value(series) == counts_.at(labels));
            sum += counters_.value(series);
        }
        GATE_INVARIANT(sum == counted_);
        GATE_INVARIANT(counters_.used() == series_.size() + 1);
        GATE_INVARIANT(counters_.size() <= counters_.capacity());
    }

private:
    std::uint64_t key_of(std::size_t key) const { return digest_of(std::to_string(key)); }

    void charge(std::size_t key, bool take) {
        Model& model = models_[key];
        const Charge charge = take ? buckets_.charge(key_of(key), rate_, now_)
                                   : buckets_.look(key_of(key), rate_, now_);
        if (crowded_) {
            GATE_INVARIANT(charge.passed == (charge.retry_after == 0));
            GATE_INVARIANT(charge.remaining < rate_.burst && charge.reset <= span_);
            return;
        }
        const bool passes = model.credit >= rate_.interval;
        GATE_INVARIANT(charge.passed == passes);
        const std::uint64_t left = model.credit - (passes ? rate_.interval : 0);
        GATE_INVARIANT(charge.remaining == left / rate_.interval);
        GATE_INVARIANT(charge.reset == span_ - left);
        GATE_INVARIANT(charge.retry_after == (passes ? 0 : rate_.interval - model.credit));
        if (take) model.credit = left;
    }

    // More keys than places: the four of the model may lose theirs, or find another's.
    void crowd(std::uint64_t keys) {
        crowded_ = crowded_ || keys > 0;
        for (std::uint64_t i = 0; i < keys; ++i) {
            buckets_.charge(digest_of("other" + std::to_string(i)), rate_, now_);
        }
        GATE_INVARIANT(buckets_.active(now_) <= buckets_.capacity());
    }

    void count(std::string_view labels) {
        const std::uint32_t series = counters_.series(digest_of(labels), labels);
        counters_.add(series, static_cast<unsigned>(labels.size()));
        ++counted_;
        if (series == Counters::kOverflow) {
            GATE_INVARIANT(labels.size() > Counters::kMaxLabels || series_.size() == kSeries - 1);
            GATE_INVARIANT(!series_.contains(std::string(labels)));
            return;
        }
        const auto known = series_.emplace(labels, series).first;
        GATE_INVARIANT(known->second == series);
        ++counts_[std::string(labels)];
    }

    Rate rate_;
    std::uint64_t span_;
    std::uint64_t now_ = 1;
    std::vector<Model> models_;
    bool crowded_ = false;
    Memory memory_;
    TokenBuckets buckets_{memory_.buckets};
    Counters counters_{memory_.counters};
    std::map<std::string, std::uint32_t> series_;
    std::map<std::string, std::uint64_t> counts_;
    std::uint64_t counted_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::string_view text = input.line();
    const auto interval = cache::parse_rate(text);
    check_rate(text, interval);
    const std::uint64_t burst = number(input.line(), kMaxBurst);
    Run run({.interval = interval.value_or(1000), .burst = burst > 0 ? burst : 1});
    while (!input.empty()) run.step(input.line());
    run.check_counters();
    return 0;
}
