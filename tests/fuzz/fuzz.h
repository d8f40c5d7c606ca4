// What every fuzz target shares: a check that stops the run, and an input read line by line, so
// that seeds are texts which people can write and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// Stops with the broken invariant's text: libFuzzer keeps the input that broke it.
#define GATE_INVARIANT(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)

namespace gate::fuzz {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const char*>(data), size) {}

    // The text up to the next line end, which is dropped; "" when nothing is left.
    std::string_view line() {
        const std::size_t end = rest_.find('\n');
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        return text;
    }

    std::string_view rest() const { return rest_; }
    bool empty() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

}  // namespace gate::fuzz

// Each target defines one; the declaration keeps -Wmissing-declarations silent.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
