// The valid tokens that mutation starts from, and the keys they are judged with.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sign.h"
#include "jose/issuer.h"
#include "jose/key_set.h"

namespace gate::mutate {

inline constexpr Seconds kNow = 1800000000;

struct Valid {
    std::string name;
    std::string text;
    const jose::KeySet* keys;
    crypto::Alg alg;
};

// One key pair per family, with its public part in a set.
struct World {
    World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    bool is_valid(const std::string& text) const { return texts.contains(text); }

    std::shared_ptr<crypto::SigningKey> rsa, ec, ed, oct;
    std::string public_octets;  // what a confused verifier would take for a secret
    jose::KeySet asymmetric;
    jose::KeySet secret;
    jose::KeySet strangers;  // other keys under the same kids
    jose::KeySet strange_secret;
    jose::Issuer issuer;
    std::vector<Valid> valid;
    std::set<std::string> texts;

private:
    void add(const crypto::SigningKey& key, crypto::Alg alg, std::string_view kid,
             const jose::KeySet& keys);
};

}  // namespace gate::mutate
