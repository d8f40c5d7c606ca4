// verify [ROUNDS]: what a never-seen token costs the gate beside its bare signature. Gate and raw
// runs alternate, each over a batch of distinct tokens; the CPU time of the thread is what counts,
// so that neighbours on the machine do not. Exits 1 where a bar is missed.
// verify --count: the same work once under callgrind (bench/count reads what it dumps).
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "bench/tokens.h"

namespace {

using gate::bench::Sample;
using gate::bench::Suite;
using gate::crypto::Alg;

constexpr std::size_t kTokens = 1024;
constexpr std::size_t kBatch = 32;
constexpr double kMaxExtra = 10.0;  // microseconds

struct Bar {
    Alg alg;
    const char* name;
    double max_ratio;  // 0: none
};
constexpr Bar kBars[] = {{Alg::kRS256, "RS256", 1.30},
                         {Alg::kES256, "ES256", 1.15},
                         {Alg::kEdDSA, "Ed25519", 1.15},
                         {Alg::kHS256, "HS256", 0}};

double cpu_microseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Microseconds a token takes in one batch.
template <class Accepts>
double batch(const Suite& suite, std::size_t start, Accepts accepts) {
    const double before = cpu_microseconds();
    for (std::size_t i = 0; i < kBatch; ++i) {
        if (!accepts(suite.samples()[start + i])) std::abort();
    }
    return (cpu_microseconds() - before) / kBatch;
}

double quantile(std::vector<double> values, double at) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1))];
}

bool measure(const Bar& bar, std::size_t rounds) {
    const Suite suite(bar.alg, kTokens);
    const auto gate = [&suite](const Sample& sample) { return suite.gate_accepts(sample); };
    const auto raw = [&suite](const Sample& sample) { return suite.raw_accepts(sample); };
    std::vector<double> gates, raws;
    for (std::size_t round = 0; round < rounds; ++round) {
        // The other half of the tokens than the raw run had, so that no run warms the other's data.
        const std::size_t at = round * kBatch % kTokens;
        gates.push_back(batch(suite, at, gate));
        raws.push_back(batch(suite, (at + kTokens / 2) % kTokens, raw));
    }
    const double gate_median = quantile(gates, 0.5), raw_median = quantile(raws, 0.5);
    const double gate_low = quantile(gates, 0.25), raw_low = quantile(raws, 0.25);
    // The lower quartile is judged: caches that neighbours emptied are no work of ours.
    const bool good = gate_low - raw_low <= kMaxExtra &&
                      (bar.max_ratio == 0 || gate_low <= bar.max_ratio * raw_low);
    std::printf("%-8s %5zu %9.2f %9.2f %9.2f %9.2f %8.2f %7.3f %7.3f  %s\n", bar.name,
                suite.samples().front().token.size(), gate_median, raw_median, gate_low, raw_low,
                gate_low - raw_low, gate_median / raw_median, gate_low / raw_low,
                good ? "ok" : "MISSED");
    return good;
}

// One dump a phase: its description is the algorithm and the side.
void count(const Bar& bar) {
    const Suite suite(bar.alg, kBatch);
    for (const bool gate : {true, false}) {
        CALLGRIND_ZERO_STATS;
        for (const Sample& sample : suite.samples()) {
            if (!(gate ? suite.gate_accepts(sample) : suite.raw_accepts(sample))) std::abort();
        }
        const std::string name = std::string(bar.name) + (gate ? " gate" : " raw");
        CALLGRIND_DUMP_STATS_AT(name.c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string argument = argc > 1 ? argv[1] : "";
    if (argument == "--count") {
        for (const Bar& bar : kBars) count(bar);
        return 0;
    }
    const std::size_t rounds = argument.empty() ? 400 : std::strtoul(argument.c_str(), nullptr, 10);
    std::printf(
        "Verification of a never-seen token, microseconds of CPU: median and lower quartile"
        " of %zu\nalternating batches of %zu. Bar, at p25: at most raw + %.0f us, and the ratio"
        " RS256 1.30, ES256 and Ed25519 1.15.\n\n",
        rounds, kBatch, kMaxExtra);
    std::printf("%-8s %5s %9s %9s %9s %9s %8s %7s %7s\n", "", "bytes", "gate p50", "raw p50",
                "gate p25", "raw p25", "extra25", "ratio50", "ratio25");
    bool good = true;
    for (const Bar& bar : kBars) good = measure(bar, rounds) && good;
    return good ? 0 : 1;
}
