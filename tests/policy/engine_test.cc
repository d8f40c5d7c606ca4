#include "policy/engine.h"

#include <gtest/gtest.h>

#include "base/base64url.h"

namespace gate::policy {
namespace {

constexpr Seconds kNow = 1700000000;
const std::string kSecret = "an engine test secret of 40 octets, HS256";
const std::string kKeyA = "acme_0000000000000000000000000000000000000000000_2X8XW8";

std::string signed_token(const std::string& header, const std::string& payload,
                         const std::string& secret = kSecret) {
    const std::string input =
        base64url_encode(bytes_of(header)) + "." + base64url_encode(bytes_of(payload));
    return input + "." + base64url_encode(crypto::hmac_sha256(bytes_of(secret), bytes_of(input)));
}

std::string token(const std::string& claims, const std::string& secret = kSecret) {
    return signed_token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"exp\":1700000060" + claims + "}",
                        secret);
}

std::shared_ptr<const jose::KeySet> keys(const std::string& secret = kSecret) {
    auto set = std::make_shared<jose::KeySet>();
    EXPECT_TRUE(set->add_secret(bytes_of(secret), "", {}));
    return set;
}

jose::Issuer issuer(const std::string& name, std::optional<std::string> iss) {
    jose::Issuer out;
    out.name = name;
    out.iss = std::move(iss);
    out.algorithms = {crypto::Alg::kHS256};
    out.audience_off = true;
    return out;
}

std::shared_ptr<const RoleMap> role_map(std::string_view text) {
    auto map = RoleMap::parse(text);
    EXPECT_TRUE(map);
    return std::make_shared<const RoleMap>(*std::move(map));
}

// "verified", "anonymous", "need", or the code of the refusal.
std::string name_of_outcome(const Outcome& outcome) {
    if (std::holds_alternative<Verified>(outcome)) return "verified";
    if (std::holds_alternative<Anonymous>(outcome)) return "anonymous";
    if (std::holds_alternative<Need>(outcome)) return "need";
    return std::string(code(std::get<Deny>(outcome).reason));
}

const Principal& principal_of(const Outcome& outcome) {
    static const Principal nobody;
    const auto* verified = std::get_if<Verified>(&outcome);
    EXPECT_NE(verified, nullptr) << name_of_outcome(outcome);
    return verified != nullptr ? *verified->principal : nobody;
}

class JwtEngine : public ::testing::Test {
protected:
    Outcome authenticate(const std::string& text) {
        Request request;
        request.credential = {CredentialKind::kJwt, text};
        request.issuers = trusted_;
        request.now = now_;
        request.optional = optional_;
        request.max_size = max_size_;
        return Authentication(request).start();
    }
    std::string outcome(const std::string& text) { return name_of_outcome(authenticate(text)); }

    jose::Issuer corp_ = issuer("corp", "https://corp.test");
    jose::Issuer plain_ = issuer("plain", std::nullopt);
    jose::Issuer down_ = issuer("down", "https://down.test");
    std::vector<TrustedIssuer> trusted_{
        {&corp_, keys(), nullptr},
        {&plain_, keys("another secret, also of 40 octets: abcde"), nullptr},
        {&down_, nullptr, nullptr}};
    Seconds now_ = kNow;
    bool optional_ = false;
    std::size_t max_size_ = 8192;
};

const std::string kCorp = ",\"iss\":\"https://corp.test\"";

TEST_F(JwtEngine, VerifiesATokenOfATrustedIssuer) {
    trusted_[0].roles = role_map("admin *;");
    const std::string text =
        signed_token("{\"alg\":\"HS256\",\"kid\":\"k-1\",\"x\":1}",
                     "{\"exp\":1700000060.9,\"iss\":\"https://"
                     "corp.test\",\"sub\":\"alice\",\"client_id\":\"app\",\"scope\":\"a b:c\","
                     "\"roles\":[\"admin\",\"dev\"],\"groups\":[\"g1\"],\"deep\":{\"x\":7}}");
    Outcome outcome = Deny{Reason::kInternal};
    {
        const std::string short_lived = text;
        outcome = authenticate(short_lived);
    }
    const Principal& principal = principal_of(outcome);
    EXPECT_EQ(principal.kind, CredentialKind::kJwt);
    EXPECT_EQ(principal.source_name, "corp");
    EXPECT_EQ(principal.subject, "alice");
    EXPECT_EQ(principal.issuer, "https://corp.test");
    EXPECT_EQ(principal.client, "app");
    EXPECT_EQ(principal.key_id, "k-1");
    EXPECT_EQ(principal.key_name, "");
    EXPECT_EQ(principal.scopes, (std::vector<std::string_view>{"a", "b:c"}));
    EXPECT_EQ(principal.roles, (std::vector<std::string_view>{"admin", "dev"}));
    EXPECT_EQ(principal.groups, (std::vector<std::string_view>{"g1"}));
    EXPECT_FALSE(principal.scopes_are_patterns);
    EXPECT_EQ(principal.expires, 1700000060);
    EXPECT_EQ(principal.claims.root().find("deep.x").integer(), 7);
    EXPECT_EQ(principal.header.root().member("x").integer(), 1);
    EXPECT_EQ(principal.role_map, trusted_[0].roles);
    EXPECT_TRUE(principal.has_scope("anything"));
    EXPECT_EQ(principal.record, nullptr);
}

TEST_F(JwtEngine, ChoosesTheIssuerByExactIss) {
    EXPECT_EQ(outcome(token(kCorp)), "verified");
    for (const char* iss :
         {"https://corp.test/", "https://corp.tes", "HTTPS://corp.test", "", "corp"}) {
        EXPECT_EQ(outcome(token(",\"iss\":\"" + std::string(iss) + "\"")), "iss_mismatch") << iss;
    }
    EXPECT_EQ(outcome(token(",\"iss\":7")), "claim_type");
    EXPECT_EQ(outcome(token(",\"iss\":null")), "claim_type");
    EXPECT_EQ(outcome(token(",\"iss\":[\"https://corp.test\"]")), "claim_type");
}

TEST_F(JwtEngine, GivesTokensWithoutIssToTheIssuerThatIsOff) {
    EXPECT_EQ(principal_of(authenticate(token("", "another secret, also of 40 octets: abcde")))
                  .source_name,
              "plain");
    EXPECT_EQ(outcome(token("")), "sig_bad");
    EXPECT_EQ(outcome(token(kCorp, "another secret, also of 40 octets: abcde")), "sig_bad");
    trusted_.erase(trusted_.begin() + 1);
    EXPECT_EQ(outcome(token("", "another secret, also of 40 octets: abcde")), "iss_mismatch");
    trusted_.clear();
    EXPECT_EQ(outcome(token(kCorp)), "iss_mismatch");
}

TEST_F(JwtEngine, CannotDecideWithoutKeys) {
    EXPECT_EQ(outcome(token(",\"iss\":\"https://down.test\"")), "jwks_unavailable");
}

TEST_F(JwtEngine, RefusesWhatTheTokenLayersRefuse) {
    EXPECT_EQ(outcome(""), "tok_malformed");
    EXPECT_EQ(outcome("a.b"), "tok_malformed");
    EXPECT_EQ(outcome("a.b.c"), "tok_b64");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"none\"}", "{}")), "alg_none");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS256\"}", "[]")), "json_bad");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS256\"}", "{\"a\":1,\"a\":1}")), "json_dup");
    EXPECT_EQ(outcome(token(kCorp, "not the secret that was configured, no..")), "sig_bad");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS384\"}", "{\"exp\":1700000060" + kCorp + "}")),
              "alg_not_allowed");
}

TEST_F(JwtEngine, JudgesTimeByItsParameter) {
    const std::string text = token(kCorp);
    now_ = 1700000059;
    EXPECT_EQ(outcome(text), "verified");
    now_ = 1700000060;
    EXPECT_EQ(outcome(text), "exp_past");
}

TEST_F(JwtEngine, LimitsTheSizeBeforeAnyDecoding) {
    const std::string text = token(kCorp);
    max_size_ = text.size();
    EXPECT_EQ(outcome(text), "verified");
    max_size_ = text.size() - 1;
    EXPECT_EQ(outcome(text), "tok_too_long");
    EXPECT_EQ(outcome(std::string(text.size(), '.')), "tok_too_long");
}

TEST_F(JwtEngine, RefusesABadTokenEvenWhereNoneWouldDo) {
    optional_ = true;
    EXPECT_EQ(outcome("a.b"), "tok_malformed");
    EXPECT_EQ(outcome(""), "tok_malformed");
}

TEST_F(JwtEngine, RefusesUnsafeIdentityClaims) {
    for (const char* claim :
         {"\"sub\":\"a\\r\\nX: y\"", "\"sub\":\"\\u0000\"", "\"sub\":\"a\\u007f\"",
          "\"client_id\":\"a\\n\"", "\"scope\":\"a b\\tc\"", "\"scope\":[\"ok\",\"a\\u001f\"]",
          "\"roles\":[\"ok\",\"a\\n\"]", "\"roles\":\"a\\n\"", "\"groups\":[\"a\\u0000\"]"}) {
        EXPECT_EQ(outcome(token(kCorp + "," + claim)), "claim_unsafe") << claim;
    }
    EXPECT_EQ(outcome(token(kCorp + ",\"sub\":\"a \xc3\xa9,\\\"\",\"other\":\"\\n\"")), "verified");
    const std::string header = "{\"alg\":\"HS256\",\"kid\":\"a\\n\"}";
    EXPECT_EQ(outcome(signed_token(header, "{\"exp\":1700000060" + kCorp + "}")), "claim_unsafe");
    corp_.iss = "https://corp.test\n";
    EXPECT_EQ(outcome(token(",\"iss\":\"https://corp.test\\n\"")), "claim_unsafe");
}

TEST_F(JwtEngine, LimitsTheLengthOfIdentityClaims) {
    max_size_ = 1 << 20;
    EXPECT_EQ(outcome(token(kCorp + ",\"sub\":\"" + std::string(4096, 'a') + "\"")), "verified");
    for (const char* claim : {"sub", "client_id", "scope", "roles", "groups"}) {
        EXPECT_EQ(outcome(token(kCorp + ",\"" + claim + "\":\"" + std::string(4097, 'a') + "\"")),
                  "claim_unsafe")
            << claim;
    }
}

TEST_F(JwtEngine, RefusesBeforeItLooksAtIdentity) {
    EXPECT_EQ(
        outcome(token(kCorp + ",\"sub\":\"\\n\"", "not the secret that was configured, no..")),
        "sig_bad");
}

TEST(Engine, AsksForACredentialUnlessOptional) {
    Request request;
    EXPECT_EQ(name_of_outcome(Authentication(request).start()), "no_credential");
    request.optional = true;
    EXPECT_EQ(name_of_outcome(Authentication(request).start()), "anonymous");
}

TEST(Engine, RefusesKindsItDoesNotKnow) {
    for (CredentialKind kind : {CredentialKind::kBasic, static_cast<CredentialKind>(77)}) {
        Request request;
        request.optional = true;
        request.credential = {kind, "x"};
        EXPECT_EQ(name_of_outcome(Authentication(request).start()), "internal_error");
    }
}

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
        Authentication authentication(request(key));
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
    EXPECT_EQ(principal.key_id, "id-1");
    EXPECT_EQ(principal.key_name, "CI");
    EXPECT_EQ(principal.scopes, (std::vector<std::string_view>{"orders:*"}));
    EXPECT_EQ(principal.roles, (std::vector<std::string_view>{"r1"}));
    EXPECT_EQ(principal.groups, (std::vector<std::string_view>{"g1", "g2"}));
    EXPECT_TRUE(principal.scopes_are_patterns);
    EXPECT_TRUE(principal.has_scope("orders:read"));
    EXPECT_TRUE(principal.has_scope("users:read"));
    EXPECT_FALSE(principal.has_scope("users:write"));
    EXPECT_EQ(principal.expires, kNow + 1);
    EXPECT_EQ(principal.claims.root().member("plan").string(), "gold");
    EXPECT_EQ(principal.record, found);
}

TEST_F(KeyEngine, TakesRolesFromTheFieldThatNamesThem) {
    using Names = std::vector<std::string_view>;
    acme_.role_field = RoleField::kScopes;
    Outcome outcome = lookup("acme_x", record("acme_x"));
    EXPECT_EQ(principal_of(outcome).roles, (Names{"orders:*"}));
    EXPECT_EQ(principal_of(outcome).scopes, (Names{}));
    EXPECT_EQ(principal_of(outcome).groups, (Names{"g1", "g2"}));
    EXPECT_FALSE(principal_of(outcome).has_scope("orders:read"));
    acme_.role_field = RoleField::kGroups;
    outcome = lookup("acme_x", record("acme_x"));
    EXPECT_EQ(principal_of(outcome).roles, (Names{"g1", "g2"}));
    EXPECT_EQ(principal_of(outcome).scopes, (Names{"orders:*"}));
    EXPECT_EQ(principal_of(outcome).groups, (Names{}));
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
        Authentication authentication(request("acme_x"));
        EXPECT_EQ(name_of_outcome(authentication.start()), "need");
        EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), failure})),
                  code(failure));
        // The failure ended it: a late answer finds nobody.
        EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
                  "internal_error");
    }
}

TEST_F(KeyEngine, ResumesOnlyWhatWaits) {
    Authentication authentication(request("acme_x"));
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "internal_error");
    EXPECT_EQ(name_of_outcome(authentication.start()), "need");
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "verified");
    EXPECT_EQ(name_of_outcome(authentication.resume({record("acme_x"), Reason::kNone})),
              "internal_error");
    Authentication refused(request("acme_"));
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
    Authentication authentication(request("acme_x"));
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
    Authentication authentication(request("acme_x"));
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
