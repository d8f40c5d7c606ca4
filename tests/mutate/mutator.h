// Random changes of valid tokens, one kind per member function.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/mutate/tokens.h"

namespace gate::mutate {

struct Mutant {
    std::string text;
    std::string what;
    const jose::KeySet* wrong_keys = nullptr;  // judge with these instead of the right ones
};

class Mutator {
public:
    Mutator(const World& world, std::uint64_t seed) : world_(world), random_(seed) {}

    Mutant next();

private:
    struct Parts {
        std::string header, payload, signature;  // base64url
        std::string text() const { return header + '.' + payload + '.' + signature; }
    };

    std::size_t below(std::size_t limit);
    bool chance(unsigned one_in) { return below(one_in) == 0; }
    const Valid& any_valid() { return world_.valid[below(world_.valid.size())]; }
    static Parts parts_of(const std::string& text);

    std::string flip_bits(std::string octets);
    std::string edit(std::string octets);
    Mutant change_text(const Valid& valid);
    Mutant change_part(const Valid& valid);
    Mutant change_signature(const Valid& valid);
    Mutant swap_parts(const Valid& valid);
    Mutant edit_header(const Valid& valid);
    Mutant edit_payload(const Valid& valid);
    Mutant respell(const Valid& valid);
    Mutant confuse_key(const Valid& valid);
    Mutant wrong_keys(const Valid& valid);

    const World& world_;
    std::mt19937_64 random_;
};

}  // namespace gate::mutate
