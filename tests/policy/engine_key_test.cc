#include <gtest/gtest.h>

#include "tests/policy/engine_support.h"

namespace gate::policy {
namespace {

const std::string kKeyA = "acme_0000000000000000000000000000000000000000000_2X8XW8";

KeyStore store(std::string name, std::string prefix, bool checksum = false) {
    KeyStore out;
    out.name = std::move(name);
    out.format = {std::move(prefix), checksum};
    return out;
}

TEST(Classify, PrefersTheLongestPrefix) {
    const KeyStore acme = store("acme", "acme_");
    const KeyStore live = store("live", "acme_live_");
    const KeyStore any = store("any", "");
    const std::vector<const KeyStore*> stores{&any, &acme, &live};
    EXPECT_EQ(classify("acme_x", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("acme_live_a.b.c", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("a.b.c", stores).kind, CredentialKind::kJwt);
    EXPECT_EQ(classify("..", stores).kind, CredentialKind::kJwt);
    EXPECT_EQ(classify("a.b", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("a.b.c.d", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("acme", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("acme_x", stores).text, "acme_x");
}

TEST(Classify, TakesTheRestForATokenWithoutAPlainStore) {
    const KeyStore acme = store("acme", "acme_");
    const std::vector<const KeyStore*> stores{&acme};
    EXPECT_EQ(classify("acme_a.b.c", stores).kind, CredentialKind::kKey);
    EXPECT_EQ(classify("garbage", stores).kind, CredentialKind::kJwt);
    EXPECT_EQ(classify("ACME_x", stores).kind, CredentialKind::kJwt);
    EXPECT_EQ(classify("a.b.c", {}).kind, CredentialKind::kJwt);
    EXPECT_EQ(classify("", {}).kind, CredentialKind::kJwt);
}

class KeyEngine : public ::testing::Test {
protected:
    Request request(std::string_view key) {
        Request out;
        out.credential = {CredentialKind::kKey, key};
        out.stores = stores_;
        out.now = now_;
        out.client_address = address_;
        out.max_size = max_size_;
        return out;
    }
    std::string start(std::string_view key) {
        return name_of_outcome(Authentication(request(key)).start());
    }

    std::shared_ptr<apikey::Record> record(std::string_view key) {
        auto out = std::make_shared<apikey::Record>();
        out->id = "id-1";
        out->name = "CI";
        out->owner = "team-a";
        out->digest = to_hex(crypto::sha256(bytes_of(key)));
        out->scopes = {"orders:*"};
        out->roles = {"r1"};
        out->groups = {"g1", "g2"};
        return out;
    }
    Outcome lookup(std::string_view key, std::shared_ptr<const apikey::Record> found) {
        const Request asked = request(key);
        Authentication authentication(asked);
        EXPECT_EQ(name_of_outcome(authentication.start()), "need");
        return authentication.resume({std::move(found), Reason::kNone});
    }

    KeyStore acme_ = store("acme", "acme_");
    KeyStore live_ = store("live", "acme_live_");
    KeyStore any_ = store("any", "");
    std::vector<const KeyStore*> stores_{&any_, &acme_, &live_};
    ByteVector address_{10, 0, 0, 1};
    Seconds now_ = kNow;
    std::size_t max_size_ = 8192;
};

TEST_F(KeyEngine, NeedsTheRecordOfTheDigest) {
    const auto outcome = Authentication(request("acme_x")).start();
    const auto* need = std::get_if<Need>(&outcome);
    ASSERT_NE(need, nullptr);
    EXPECT_EQ(need->store, &acme_);
    EXPECT_EQ(need->digest, crypto::sha256(bytes_of("acme_x")));
}

TEST_F(KeyEngine, ChoosesTheStoreWithTheLongestPrefix) {
    const auto chosen = [&](std::string_view key) {
        const auto outcome = Authentication(request(key)).start();
        const auto* need = std::get_if<Need>(&outcome);
        return need == nullptr ? std::string() : need->store->name;
    };
    EXPECT_EQ(chosen("acme_x"), "acme");
    EXPECT_EQ(chosen("acme_live_x"), "live");
    EXPECT_EQ(chosen("other"), "any");
    stores_ = {&live_, &acme_, &any_};
    EXPECT_EQ(chosen("acme_x"), "acme");
    EXPECT_EQ(chosen("acme_live_x"), "live");
    EXPECT_EQ(chosen("other"), "any");
    // No second try in another store: the prefix decides.
    EXPECT_EQ(start("acme_live_"), "key_malformed");
}

TEST_F(KeyEngine, RefusesAKeyOfNoStore) {
    stores_ = {&acme_};
    EXPECT_EQ(start("other"), "key_malformed");
    stores_.clear();
    EXPECT_EQ(start("other"), "key_malformed");
}

TEST_F(KeyEngine, ChecksTheShapeBeforeAnyLookup) {
    EXPECT_EQ(start("acme_"), "key_malformed");
    EXPECT_EQ(start("acme_a b"), "key_malformed");
    acme_.format.checksum = true;
    EXPECT_EQ(start(kKeyA), "need");
    std::string typo = kKeyA;
    typo.back() = typo.back() == '0' ? '1' : '0';
    EXPECT_EQ(start(typo), "key_checksum");
}

TEST_F(KeyEngine, LimitsTheSize) {
    max_size_ = 6;
    EXPECT_EQ(start("acme_x"), "need");
    max_size_ = 5;
    EXPECT_EQ(start("acme_x"), "tok_too_long");
}

TEST_F(KeyEngine, VerifiesByTheRecord) {
    const auto found = record("acme_x");
    found->expires = kNow + 1;
    found->labels = *jose::Document::parse("{\"plan\":\"gold\"}");
    acme_.roles = role_map("r1 users:read;");
    const Outcome outcome = lookup("acme_x", found);
    const Principal& principal = principal_of(outcome);
    EXPECT_EQ(principal.kind, CredentialKind::kKey);
    EXPECT_EQ(principal.source_name, "acme");
    EXPECT_EQ(principal.subject, "team-a");
    EXPECT_EQ(principal.issuer, "");
    EXPECT_EQ(principal.client, "");
    EXPECT_EQ(principal.key_id(), "id-1");
    EXPECT_EQ(principal.key_name, "CI");
    EXPECT_EQ(principal.scopes, (TextList{"orders:*"}));
    EXPECT_EQ(principal.roles, (TextList{"r1"}));
    EXPECT_EQ(principal.groups, (TextList{"g1", "g2"}));
    EXPECT_TRUE(principal.scopes_are_patterns);
    EXPECT_TRUE(principal.has_scope("orders:read"));
    EXPECT_TRUE(principal.has_scope("users:read"));
    EXPECT_FALSE(principal.has_scope("users:write"));
    EXPECT_EQ(principal.expires, kNow + 1);
    EXPECT_EQ(principal.claims.root().member("plan").string(), "gold");
    EXPECT_EQ(principal.record, found);
}

TEST_F(KeyEngine, TakesRolesFromTheFieldThatNamesThem) {
    acme_.role_field = RoleField::kScopes;
    Outcome outcome = lookup("acme_x", record("acme_x"));
    EXPECT_EQ(principal_of(outcome).roles, (TextList{"orders:*"}));
    EXPECT_EQ(principal_of(outcome).scopes, (TextList{}));
    EXPECT_EQ(principal_of(outcome).groups, (TextList{"g1", "g2"}));
    EXPECT_FALSE(principal_of(outcome).has_scope("orders:read"));
    acme_.role_field = RoleField::kGroups;
    outcome = lookup("acme_x", record("acme_x"));
    EXPECT_EQ(principal_of(outcome).roles, (TextList{"g1", "g2"}));
    EXPECT_EQ(principal_of(outcome).scopes, (TextList{"orders:*"}));
    EXPECT_EQ(principal_of(outcome).groups, (TextList{}));
}

TEST_F(KeyEngine, RefusesAnUnknownKey) {
    EXPECT_EQ(name_of_outcome(lookup("acme_x", nullptr)), "key_unknown");
}

TEST_F(KeyEngine, RefusesARecordOfAnotherKey) {
    EXPECT_EQ(name_of_outcome(lookup("acme_x", record("acme_y"))), "record_bad");
    const auto other_case = record("acme_x");
    other_case->digest = "BA" + other_case->digest.substr(2);
    EXPECT_EQ(name_of_outcome(lookup("acme_x", other_case)), "record_bad");
    const auto no_digest = record("acme_x");
    no_digest->digest.clear();
    EXPECT_EQ(name_of_outcome(lookup("acme_x", no_digest)), "record_bad");
}

TEST_F(KeyEngine, ChecksTheRecordAgainstTimeAndAddress) {
    const auto expired = record("acme_x");
    expired->expires = kNow;
    EXPECT_EQ(name_of_outcome(lookup("acme_x", expired)), "key_expired");
    const auto early = record("acme_x");
    early->not_before = kNow + 1;
    EXPECT_EQ(name_of_outcome(lookup("acme_x", early)), "key_not_yet");
    early->not_before = kNow;
    EXPECT_EQ(name_of_outcome(lookup("acme_x", early)), "verified");
    const auto suspended = record("acme_x");
    suspended->status = apikey::KeyStatus::kSuspended;
    EXPECT_EQ(name_of_outcome(lookup("acme_x", suspended)), "key_suspended");
    const auto bound = record("acme_x");
    bound->networks = {*apikey::Network::parse("10.0.0.1")};
    EXPECT_EQ(name_of_outcome(lookup("acme_x", bound)), "verified");
    address_ = {10, 0, 0, 2};
    EXPECT_EQ(name_of_outcome(lookup("acme_x", bound)), "key_address");
}

TEST_F(KeyEngine, RefusesUnsafeRecords) {
    for (auto spoil : std::initializer_list<void (*)(apikey::Record&)>{
             [](apikey::Record& r) { r.owner = "a\n"; }, [](apikey::Record& r) { r.name = "a\r"; },
             [](apikey::Record& r) { r.id = "a\x7f"; },
             [](apikey::Record& r) { r.scopes.push_back("\t"); },
             [](apikey::Record& r) { r.roles.push_back("\n"); },
             [](apikey::Record& r) { r.groups.push_back("\n"); }}) {
        const auto found = record("acme_x");
        spoil(*found);
        EXPECT_EQ(name_of_outcome(lookup("acme_x", found)), "claim_unsafe");
    }
}

TEST_F(KeyEngine, CannotDecideWhereTheStoreFailed) {
    for (Reason failure : {Reason::kStoreUnavailable, Reason::kStoreTimeout, Reason::kRecordBad}) {
        const Request asked = request("acme_x");
        Authentication authentication(asked);
        EXPECT_EQ(name_of_outcome(authentication.start()), "need");
        EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), failure})),
                  code(failure));
        // The failure ended it: a late answer finds nobody.
        EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
                  "internal_error");
    }
}

TEST_F(KeyEngine, ResumesOnlyWhatWaits) {
    const Request asked = request("acme_x");
    Authentication authentication(asked);
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "internal_error");
    EXPECT_EQ(name_of_outcome(authentication.start()), "need");
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "verified");
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "internal_error");
    const Request short_one = request("acme_");
    Authentication refused(short_one);
    EXPECT_EQ(name_of_outcome(refused.start()), "key_malformed");
    EXPECT_EQ(name_of_outcome(refused.resume({record("acme_"), Reason::kNone})), "internal_error");
}

TEST_F(KeyEngine, TriesEveryPepperInOrder) {
    acme_.digest = apikey::DigestKind::kHmacSha256;
    std::vector<crypto::Digest256> expected;
    for (const char* pepper :
         {"pepper one, thirty-two octets ...", "pepper two, thirty-two octets ..."}) {
        acme_.peppers.push_back(std::make_shared<const Secret>(bytes_of(pepper)));
        expected.push_back(crypto::hmac_sha256(bytes_of(pepper), bytes_of("acme_x")));
    }
    const Request asked = request("acme_x");
    Authentication authentication(asked);
    const Outcome first = authentication.start();
    ASSERT_TRUE(std::holds_alternative<Need>(first));
    EXPECT_EQ(std::get<Need>(first).digest, expected[0]);
    const Outcome second = authentication.resume({nullptr, Reason::kNone});
    ASSERT_TRUE(std::holds_alternative<Need>(second));
    EXPECT_EQ(std::get<Need>(second).digest, expected[1]);
    EXPECT_EQ(std::get<Need>(second).store, &acme_);

    Authentication by_second = authentication;
    EXPECT_EQ(name_of_outcome(authentication.resume({nullptr, Reason::kNone})), "key_unknown");
    const auto found = record("acme_x");
    found->digest = to_hex(expected[1]);
    EXPECT_EQ(name_of_outcome(by_second.resume({found, Reason::kNone})), "verified");

    // A restart begins with the first pepper again.
    const Outcome again = authentication.start();
    EXPECT_EQ(std::get<Need>(again).digest, expected[0]);
    found->digest = to_hex(expected[1]);
    EXPECT_EQ(name_of_outcome(authentication.resume({found, Reason::kNone})), "record_bad");
}

TEST_F(KeyEngine, AsksAtMostOncePerPepperAndNeverMoreThanFourTimes) {
    acme_.digest = apikey::DigestKind::kHmacSha256;
    for (int i = 0; i < 6; ++i) {
        const std::string pepper = "pepper number " + std::to_string(i) + " of thirty-two octets";
        acme_.peppers.push_back(std::make_shared<const Secret>(bytes_of(pepper)));
    }
    const Request asked = request("acme_x");
    Authentication authentication(asked);
    std::size_t needs = 0;
    Outcome outcome = authentication.start();
    for (; std::holds_alternative<Need>(outcome) && needs < 10; ++needs)
        outcome = authentication.resume({nullptr, Reason::kNone});
    EXPECT_EQ(needs, apikey::kMaxPeppers);
    EXPECT_EQ(name_of_outcome(outcome), "key_unknown");
}

TEST_F(KeyEngine, RefusesAKeyedStoreWithoutPepper) {
    acme_.digest = apikey::DigestKind::kHmacSha256;
    EXPECT_EQ(start("acme_x"), "internal_error");
}

TEST_F(KeyEngine, NeedsNoPepperForPlainDigests) {
    acme_.peppers.push_back(std::make_shared<const Secret>(bytes_of("unused")));
    acme_.peppers.push_back(std::make_shared<const Secret>(bytes_of("unused")));
    EXPECT_EQ(name_of_outcome(lookup("acme_x", nullptr)), "key_unknown");
}

}  // namespace
}  // namespace gate::policy
