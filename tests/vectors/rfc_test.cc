// Examples of RFC 7515, 7517, 7520 and 7638: compact signatures verify with the key printed beside
// them, other serialisations and "none" are refused, keys load or are refused for a known reason.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "jose/key_set.h"
#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

// Keys for encryption, without "use" or with another one: the reason they are left out.
const std::map<std::string, Reason> kRefusedKeys{
    {"rfc7520_3.6.jwk", Reason::kJwkUse},    {"rfc7520_4.8.jwkset", Reason::kJwksBad},
    {"rfc7520_5.1.jwk", Reason::kJwkUse},    {"rfc7520_5.2.jwk", Reason::kJwkUse},
    {"rfc7520_5.5.jwk", Reason::kJwkUse},    {"rfc7520_5.4.jwk", Reason::kJwkUse},
    {"rfc7520_5.6.jwk", Reason::kJwkUse},    {"rfc7520_5.7.jwk", Reason::kJwkUse},
    {"rfc7520_5.8.jwk", Reason::kJwkUse},    {"rfc7520_5.9.jwk", Reason::kJwkUse},
    {"rfc7520_5.10.jwk", Reason::kJwkUse},   {"rfc7520_5.11.jwk", Reason::kJwkUse},
    {"rfc7520_5.12.jwk", Reason::kJwkUse},   {"rfc7520_5.13.1.jwk", Reason::kJwkUse},
    {"rfc7520_5.13.2.jwk", Reason::kJwkUse}, {"rfc7520_5.13.3.jwk", Reason::kJwkUse},
};

// Tokens that no set of one printed key verifies.
const std::map<std::string, Reason> kRefusedTokens{
    {"rfc7515_A.5.jwsc", Reason::kAlgNone},
    {"rfc7520_4.5.jwsc", Reason::kSigBad},  // detached: the payload part is empty
};

Reason load(const std::string& jwks) {
    jose::KeySet keys;
    const auto loaded = keys.add_jwks(jwks);
    return loaded ? Reason::kNone : loaded.error().reason;
}

Reason expected(const std::map<std::string, Reason>& table, const std::string& name) {
    const auto found = table.find(name);
    return found == table.end() ? Reason::kNone : found->second;
}

TEST(RfcVectors, VerifyOrAreRefusedAsTheRfcsSay) {
    const Json file = Json::load("rfc/rfc75xx_vectors.json");
    GATE_NEED_VECTORS(file);
    const Json vectors = file["vectors"];
    VectorCount count("rfc/rfc75xx_vectors.json", vectors.size());
    std::map<std::string, std::string> keys;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const std::string name = vectors[i]["name"].text();
        if (name.ends_with(".jwk"))
            keys[name.substr(0, name.size() - 4)] = vectors[i]["value"].dump();
    }
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const std::string name = vectors[i]["name"].text();
        const std::string type = vectors[i]["type"].text();
        const Json value = vectors[i]["value"];
        SCOPED_TRACE(name);
        if (type == "jwk" || type == "jwkset") {
            EXPECT_EQ(code(load(value.dump())), code(expected(kRefusedKeys, name)));
        } else if (type == "jwsc") {
            const std::string base = name.substr(0, name.size() - 5);
            const std::string key = keys.contains(base) ? keys[base] : keys["rfc7515_A.1"];
            EXPECT_EQ(code(judge_jws(key, value.text())), code(expected(kRefusedTokens, name)));
        } else if (type == "payl") {
            count.skipped("a bare payload");
            continue;
        } else {
            EXPECT_EQ(code(judge_jws(keys["rfc7515_A.1"], value.dump())), "tok_malformed");
        }
        count.ran();
    }
}

TEST(CookbookVectors, VerifyWhatIsCompactAndRefuseTheRest) {
    const Json file = Json::load("rfc/cookbook.json");
    GATE_NEED_VECTORS(file);
    VectorCount count("rfc/cookbook.json", file.size());
    for (std::size_t i = 0; i < file.size(); ++i) {
        const std::string name = file[i]["name"].text();
        const Json example = file[i]["example"];
        SCOPED_TRACE(name);
        const Json output = example["output"];
        if (!output.present()) {
            const Reason reason = load(example.dump());
            EXPECT_EQ(code(reason), name.find("encryption") != std::string::npos ? "jwk_use" : "");
        } else if (output["compact"].present()) {
            const bool detached = name.find("detached") != std::string::npos;
            EXPECT_EQ(code(judge_jws(example["input"]["key"].dump(), output["compact"].text())),
                      detached ? "sig_bad" : "");
        } else {
            const std::string key = example["input"]["key"].dump();
            const std::string set = key.front() == '[' ? example["input"]["key"][1].dump() : key;
            EXPECT_EQ(code(judge_jws(set, output["json"].dump())), "tok_malformed");
        }
        count.ran();
    }
}

}  // namespace
}  // namespace gate::test
