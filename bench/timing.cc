// Does the time of a comparison tell how much of a guess was right? As in dudect (Reparaz, Balasch
// and Verbauwhede, 2017): two classes of guesses in random order, wrong in their first or in their
// last octet, and Welch's t of their times. |t| below 4.5 at a million samples is no leak that was
// found. A comparison that stops at the first difference is measured too: the method has to find
// it.
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

namespace {

using namespace gate;

constexpr double kBar = 4.5;
constexpr int kAttempts = 3;  // a machine with other work on it disturbs some runs

std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

// The times of one class: mean and variance.
struct Class {
    double count = 0, mean = 0, squares = 0;
    void add(double value) {
        ++count;
        const double step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
    }
    double variance() const { return squares / (count - 1); }
};

using Guess = std::array<std::uint8_t, 64>;
using Work = std::function<bool(Bytes guess)>;

// |t| of the times below the 90th percentile: what is above is the machine, not the code.
double judge(const Work& work, Bytes right, std::size_t samples, std::mt19937_64& random) {
    std::array<Guess, 2> guesses{};
    for (Guess& guess : guesses) std::copy(right.begin(), right.end(), guess.begin());
    guesses[0][0] ^= 1;
    guesses[1][right.size() - 1] ^= 1;
    std::vector<std::pair<int, std::uint64_t>> times;
    times.reserve(samples);
    Guess guess{};  // the same memory for both
    for (std::size_t i = 0; i < samples; ++i) {
        const int which = static_cast<int>(random() & 1);
        std::memcpy(guess.data(), guesses[static_cast<std::size_t>(which)].data(), guess.size());
        const std::uint64_t start = ticks();
        const bool passed = work(Bytes(guess).first(right.size()));
        times.emplace_back(which, ticks() - start);
        if (passed) std::abort();
    }
    std::vector<std::uint64_t> sorted;
    for (const auto& [which, time] : times) sorted.push_back(time);
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
    std::nth_element(sorted.begin(), at, sorted.end());
    std::array<Class, 2> classes;
    for (const auto& [which, time] : times) {
        if (time <= *at) classes[static_cast<std::size_t>(which)].add(static_cast<double>(time));
    }
    const auto& [a, b] = classes;
    return std::abs(a.mean - b.mean) / std::sqrt(a.variance() / a.count + b.variance() / b.count);
}

bool stops_early(Bytes a, Bytes b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        // Not to be replaced by memcmp.
        asm volatile("" : : : "memory");
        if (a[i] != b[i]) return false;
    }
    return true;
}

struct Subject {
    const char* name;
    Work work;
    ByteVector right;
    bool leaks = false;
};

bool report(const Subject& subject, std::size_t samples, std::mt19937_64& random) {
    double t = 0;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        t = judge(subject.work, subject.right, samples, random);
        if ((t >= kBar) == subject.leaks) break;
    }
    const bool good = (t >= kBar) == subject.leaks;
    std::printf("%-40s |t| = %8.2f  %s\n", subject.name, t,
                !good           ? "UNEXPECTED"
                : subject.leaks ? "found, as it has to be"
                                : "no leak found");
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t samples = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    std::mt19937_64 random(std::random_device{}());
    const std::string secret = "a secret of the timing benchmark, 40 oct";
    const std::string message(600, 'm');
    const auto signer = crypto::SigningKey::from_secret(bytes_of(secret));
    if (!signer) return 1;
    const auto key = (*signer)->verification_key();
    const auto signature = (*signer)->sign(crypto::Alg::kHS256, bytes_of(message));
    const std::string digest = to_hex(crypto::sha256(bytes_of(message)));
    const ByteVector hex(digest.begin(), digest.end());
    if (!signature) return 1;

    const Subject subjects[] = {
        {"HS256 signature",
         [&](Bytes guess) { return key->verify(crypto::Alg::kHS256, bytes_of(message), guess); },
         *signature},
        {"digest of an API key",
         [&](Bytes guess) { return crypto::equal_constant_time(guess, hex); }, hex},
        {"comparison that stops early", [&](Bytes guess) { return stops_early(guess, hex); }, hex,
         true},
    };
    bool good = true;
    for (const Subject& subject : subjects) good = report(subject, samples, random) && good;
    std::printf("timing: %zu samples each, bar %.1f: %s\n", samples, kBar, good ? "ok" : "FAILED");
    return good ? 0 : 1;
}
