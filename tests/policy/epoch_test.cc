#include "policy/epoch.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace gate::policy {
namespace {

using jose::Issuer;

Issuer base_issuer() {
    Issuer issuer;
    issuer.name = "corp";
    issuer.iss = "https://idp";
    issuer.audiences = {"orders"};
    return issuer;
}

// One change of each rule, by the rule's name.
const std::map<std::string, std::function<void(Issuer&)>>& changes() {
    static const std::map<std::string, std::function<void(Issuer&)>> all{
        {"name", [](Issuer& i) { i.name = "corp2"; }},
        {"iss", [](Issuer& i) { i.iss = "https://idp/"; }},
        {"iss off", [](Issuer& i) { i.iss.reset(); }},
        {"iss empty", [](Issuer& i) { i.iss = ""; }},
        {"algorithms", [](Issuer& i) { i.algorithms = {crypto::Alg::kRS256}; }},
        {"other algorithms", [](Issuer& i) { i.algorithms = crypto::AlgSet::all(); }},
        {"audience_off", [](Issuer& i) { i.audience_off = true; }},
        {"audiences", [](Issuer& i) { i.audiences = {"billing"}; }},
        {"more audiences", [](Issuer& i) { i.audiences.push_back("billing"); }},
        {"no audiences", [](Issuer& i) { i.audiences.clear(); }},
        {"types", [](Issuer& i) { i.types = {"at+jwt"}; }},
        {"leeway_exp", [](Issuer& i) { i.leeway_exp = 11; }},
        {"leeway_nbf", [](Issuer& i) { i.leeway_nbf = 11; }},
        {"leeway_iat", [](Issuer& i) { i.leeway_iat = 11; }},
        {"require_exp", [](Issuer& i) { i.require_exp = false; }},
        {"max_lifetime", [](Issuer& i) { i.max_lifetime = 11; }},
        {"require_claims", [](Issuer& i) { i.require_claims = {"tenant"}; }},
        {"subject_claim", [](Issuer& i) { i.subject_claim = {"uid"}; }},
        {"client_claim",
         [](Issuer& i) {
             i.client_claim = {"azp", "client_id"};
         }},
        {"scope_claim", [](Issuer& i) { i.scope_claim = {"scope"}; }},
        {"role_claim", [](Issuer& i) { i.role_claim = {"realm_access.roles"}; }},
        {"group_claim", [](Issuer& i) { i.group_claim = {}; }},
    };
    return all;
}

TEST(EpochOf, ChangesWithEachRuleOfTheIssuerToAnotherValue) {
    std::map<std::uint64_t, std::string> seen{{epoch_of(base_issuer(), "keys"), "nothing"}};
    for (const auto& [what, change] : changes()) {
        Issuer issuer = base_issuer();
        change(issuer);
        const auto [at, fresh] = seen.emplace(epoch_of(issuer, "keys"), what);
        EXPECT_TRUE(fresh) << what << " gives the epoch of " << at->second;
    }
    EXPECT_EQ(seen.size(), changes().size() + 1);
}

TEST(EpochOf, ChangesWithTheKeys) {
    const Issuer issuer = base_issuer();
    EXPECT_NE(epoch_of(issuer, "keys"), epoch_of(issuer, "keyz"));
    EXPECT_NE(epoch_of(issuer, "keys"), epoch_of(issuer, ""));
    EXPECT_NE(epoch_of(issuer, "keys"), epoch_of(issuer, "keys "));
}

TEST(EpochOf, IsTheSameInEveryProcess) {
    EXPECT_EQ(epoch_of(base_issuer(), "keys"), epoch_of(base_issuer(), "keys"));
    EXPECT_NE(epoch_of(base_issuer(), "keys"), 0U);
}

// Parts that only touch each other differently must not run into one text.
TEST(EpochOf, TellsWherePartsAndListsEnd) {
    const auto with = [](auto set) {
        Issuer issuer = base_issuer();
        set(issuer);
        return epoch_of(issuer, "keys");
    };
    EXPECT_NE(with([](Issuer& i) {
                  i.audiences = {"a", "b"};
              }),
              with([](Issuer& i) { i.audiences = {"ab"}; }));
    EXPECT_NE(with([](Issuer& i) {
                  i.audiences = {"a", "b"};
              }),
              with([](Issuer& i) { i.audiences = {"a"}, i.types = {"b"}; }));
    EXPECT_NE(with([](Issuer& i) { i.audiences = {"1:a"}; }), with([](Issuer& i) {
                  i.audiences = {"1", "a"};
              }));
    // The same count of the same octets: only each part's length tells them apart ..
    EXPECT_NE(with([](Issuer& i) {
                  i.audiences = {"a:b", "c"};
              }),
              with([](Issuer& i) {
                  i.audiences = {"a", "b:c"};
              }));
    // .. and only what stands behind it tells a length from a part that begins with digits.
    EXPECT_NE(with([](Issuer& i) {
                  i.audiences = {"1", "xxxxxxxxx0"};
              }),
              with([](Issuer& i) {
                  i.audiences = {"10xxxxxxxxx", ""};
              }));
    EXPECT_NE(with([](Issuer& i) { i.role_claim = {"x"}, i.group_claim = {}; }),
              with([](Issuer& i) { i.role_claim = {}, i.group_claim = {"x"}; }));
    EXPECT_NE(with([](Issuer& i) { i.leeway_exp = 1, i.leeway_nbf = 0; }),
              with([](Issuer& i) { i.leeway_exp = 0, i.leeway_nbf = 1; }));
    EXPECT_NE(with([](Issuer& i) { i.name = "a", i.iss = "bc"; }),
              with([](Issuer& i) { i.name = "ab", i.iss = "c"; }));
}

}  // namespace
}  // namespace gate::policy
