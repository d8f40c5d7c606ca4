// Wycheproof: JSON Web Signatures and Keys on the signature layer, and the primitives below it.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/base64url.h"
#include "crypto/public_key.h"
#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

using crypto::Alg;
using crypto::KeyResult;
using crypto::VerificationKey;

std::size_t count_tests(const Json& groups) {
    std::size_t held = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) held += groups[g]["tests"].size();
    return held;
}

// A set of one for a bare JWK.
std::string keys_of(const Json& group) {
    const Json keys = group["public"].present() ? group["public"] : group["private"];
    return keys.dump();
}

void run_json_file(const std::string& name) {
    const Json file = Json::load(name);
    GATE_NEED_VECTORS(file);
    const Json groups = file["testGroups"];
    VectorCount count(name, count_tests(groups));
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::string jwks = keys_of(groups[g]);
        const Json tests = groups[g]["tests"];
        for (std::size_t i = 0; i < tests.size(); ++i) {
            const Json test = tests[i];
            const bool valid = !test["strict_result"].present() && test["result"].text() == "valid";
            const Reason reason = judge_jws(jwks, test["jws"].text());
            EXPECT_EQ(reason == Reason::kNone, valid)
                << name << " tcId " << test["tcId"].number() << ' ' << test["comment"].text()
                << ": " << code(reason);
            EXPECT_NE(status_of(refusal_class(reason)), 500);
            count.ran();
        }
    }
}

TEST(WycheproofJsonWebSignature, GivesEveryExpectedVerdict) {
    run_json_file("wycheproof/json_web_signature.json");
}

TEST(WycheproofJsonWebKey, GivesEveryExpectedVerdict) {
    run_json_file("wycheproof/json_web_key.json");
}

ByteVector hex(const Json& text) {
    return from_hex(text.text()).value_or(ByteVector());
}

// Drops the sign octet of a hexadecimal ASN.1 integer and pads to `size`.
ByteVector number(const Json& text, std::size_t size) {
    ByteVector octets = hex(text);
    while (!octets.empty() && octets.front() == 0) octets.erase(octets.begin());
    if (octets.size() < size) octets.insert(octets.begin(), size - octets.size(), 0);
    return octets;
}

// Runs every group of a file with each of the keys that `load` makes of it (JWK, PEM).
void run_primitive(const std::string& name, Alg alg, const char* signature,
                   const std::function<KeyResult(const Json&)>& load) {
    const Json file = Json::load("wycheproof/primitives/" + name);
    GATE_NEED_VECTORS(file);
    const Json groups = file["testGroups"];
    VectorCount count("wycheproof/primitives/" + name, count_tests(groups));
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const Json tests = groups[g]["tests"];
        const Json tag_size = groups[g]["tagSize"];
        const KeyResult key = load(groups[g]);
        for (std::size_t i = 0; i < tests.size(); ++i) {
            const Json test = tests[i];
            if (tag_size.present() && tag_size.number() != 256) {
                count.skipped("truncated tags, which JWS does not have");
                continue;
            }
            // HMAC carries its key in each test; RFC 7518 section 3.2 refuses those below 32
            // octets.
            const KeyResult own = test["key"].present()
                                      ? VerificationKey::from_secret(hex(test["key"]))
                                      : KeyResult(*key);
            if (!own) {
                EXPECT_LT(hex(test["key"]).size(), 32u);
                count.ran();
                continue;
            }
            const bool good = (*own)->verify(alg, hex(test["msg"]), hex(test[signature]));
            EXPECT_EQ(good, test["result"].text() == "valid")
                << name << " tcId " << test["tcId"].number() << ' ' << test["comment"].text();
            count.ran();
        }
    }
}

TEST(WycheproofEcdsa, GivesEveryExpectedVerdict) {
    run_primitive("ecdsa_secp256r1_sha256_p1363.json", Alg::kES256, "sig", [](const Json& group) {
        const Json key = group["publicKey"];
        return VerificationKey::from_ec(crypto::Curve::kP256, number(key["wx"], 32),
                                        number(key["wy"], 32));
    });
}

TEST(WycheproofEcdsa, GivesEveryExpectedVerdictWithPemKeys) {
    run_primitive("ecdsa_secp256r1_sha256_p1363.json", Alg::kES256, "sig", [](const Json& group) {
        return VerificationKey::from_pem(group["publicKeyPem"].text());
    });
}

TEST(WycheproofEd25519, GivesEveryExpectedVerdict) {
    run_primitive("ed25519.json", Alg::kEdDSA, "sig", [](const Json& group) {
        return VerificationKey::from_okp(crypto::Curve::kEd25519, hex(group["publicKey"]["pk"]));
    });
}

TEST(WycheproofRsa, GivesEveryExpectedVerdict) {
    run_primitive("rsa_signature_2048_sha256.json", Alg::kRS256, "sig", [](const Json& group) {
        const Json key = group["publicKey"];
        return VerificationKey::from_rsa(hex(key["modulus"]), hex(key["publicExponent"]));
    });
}

TEST(WycheproofRsaPss, GivesEveryExpectedVerdict) {
    run_primitive("rsa_pss_2048_sha256_mgf1_32.json", Alg::kPS256, "sig", [](const Json& group) {
        return VerificationKey::from_pem(group["publicKeyPem"].text());
    });
}

TEST(WycheproofHmac, GivesEveryExpectedVerdict) {
    run_primitive("hmac_sha256.json", Alg::kHS256, "tag",
                  [](const Json&) { return VerificationKey::from_secret(ByteVector(32, 1)); });
}

}  // namespace
}  // namespace gate::test
