// A token that comes again within the second: recall_again() says yes only where recall() would.
#include <gtest/gtest.h>
#include <jansson.h>

#include <cstdlib>
#include <new>

#include "policy/engine.h"
#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

using cache::RevocationKind;

const std::string kToken =
    R"({"iss":"https://idp","sub":"u","jti":"j","iat":1699999000,"exp":1700001000})";

// A worker that has seen one token often enough to have it in its own memory.
class AgainBench : public RecallBench {
public:
    AgainBench() {
        keep(token);
        for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(), "recalled");
    }

    bool again(std::vector<const TrustedIssuer*> issuers, Seconds now = kNow) {
        return recall_again(*zone, recent, token.text, issuers, now, found);
    }
    bool again(Seconds now = kNow) { return again({&trusted}, now); }

    // As the adapter asks where recall_again() does not know.
    std::string ask(Seconds now = kNow, std::size_t max_size = 1 << 20) {
        const TrustedIssuer* const issuers[] = {&trusted};
        Request request;
        request.credential = {CredentialKind::kJwt, token.text};
        request.issuers = issuers;
        request.now = now;
        request.max_size = max_size;
        request.zone = &*zone;
        request.recent = &recent;
        Authentication authentication(request);
        const auto known = authentication.known_token(found);
        if (!known) return "unknown";
        return *known == Reason::kNone ? "recalled" : std::string(code(*known));
    }

    const Parsed token{kToken};
    RecentVerdicts recent;
    Recalled found;
};

TEST(RecallAgain, KnowsATokenWithinTheSecond) {
    AgainBench bench;
    bench.found = {};
    ASSERT_TRUE(bench.again());
    const auto recalled = bench.find(bench.token);
    ASSERT_TRUE(recalled && *recalled);
    ASSERT_TRUE(bench.found.identity);
    EXPECT_EQ(bench.found.identity->words, (*recalled)->words);
    EXPECT_EQ(bench.found.issuer, &bench.issuer);
    EXPECT_EQ(bench.found.token.data(), bench.token.text.data());
    EXPECT_EQ(bench.found.token.size(), bench.token.text.size());
}

TEST(RecallAgain, LeavesAnyOtherSecondToTheZone) {
    AgainBench bench;
    EXPECT_FALSE(bench.again(kNow + 1));
    EXPECT_FALSE(bench.again(kNow - 1));
    EXPECT_EQ(bench.ask(kNow + 1), "recalled");
    EXPECT_TRUE(bench.again(kNow + 1));
    EXPECT_FALSE(bench.again(kNow)) << "the clock was set back";
}

TEST(RecallAgain, LooksForEachRevocationThatComes) {
    AgainBench bench;
    bench.revoke(RevocationKind::kJti, "https://idp", "another");
    EXPECT_FALSE(bench.again());
    EXPECT_EQ(bench.ask(), "recalled");
    EXPECT_TRUE(bench.again()) << "clean again, and known as such at once";
    bench.revoke(RevocationKind::kJti, "https://idp", "j");
    EXPECT_FALSE(bench.again());
    EXPECT_EQ(bench.ask(), "revoked");
    EXPECT_FALSE(bench.again());
}

TEST(RecallAgain, IsOnlyForIssuersAsTheyAreNow) {
    AgainBench bench;
    jose::Issuer other = test_issuer();
    other.name = "other";
    const TrustedIssuer stranger{&other, secret_keys(), nullptr, epoch_of(other, "first keys")};
    EXPECT_FALSE(bench.again(std::vector<const TrustedIssuer*>{}));
    EXPECT_FALSE(bench.again({&stranger}));
    EXPECT_TRUE(bench.again({&stranger, &bench.trusted}));
    bench.renew("other keys");
    EXPECT_FALSE(bench.again());
    EXPECT_EQ(bench.ask(), "unknown");
    bench.renew("first keys");
    EXPECT_TRUE(bench.again());
    bench.trusted.keys = nullptr;
    EXPECT_FALSE(bench.again()) << "its keys could not be loaded";
}

TEST(RecallAgain, GivesTheRolesOfNow) {
    AgainBench bench;
    auto roles = RoleMap::parse("r x;\n");
    ASSERT_TRUE(roles);
    bench.trusted.roles = std::make_shared<const RoleMap>(*std::move(roles));
    ASSERT_TRUE(bench.again());
    EXPECT_EQ(bench.found.roles, bench.trusted.roles);
}

TEST(RecallAgain, EndsWithTheToken) {
    AgainBench bench;
    const Seconds last = 1700001000 + bench.issuer.leeway_exp - 1;
    EXPECT_EQ(bench.ask(last), "recalled");
    EXPECT_TRUE(bench.again(last));
    EXPECT_EQ(bench.ask(last + 1), "unknown");
    EXPECT_FALSE(bench.again(last + 1));
}

TEST(RecallAgain, KnowsNothingThatWasRefused) {
    AgainBench bench;
    bench.recent.sweep(static_cast<std::uint32_t>(kNow + 100));
    bench.revoke(RevocationKind::kSubject, "https://idp", "u");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.ask(), "revoked");
    EXPECT_EQ(bench.recent.find(bench.token.text), nullptr);
}

TEST(RecallAgain, FollowsTheZoneWhenItsVerdictIsGone) {
    AgainBench bench;
    bench.zone->verdicts.erase(bench.fingerprint_of(bench.token.text));
    EXPECT_EQ(bench.ask(kNow + 1), "unknown") << "the fingerprint is known, the verdict is not";
}

TEST(SharedPrincipal, IsMadeOnceForAllWhoComeWithTheToken) {
    AgainBench bench;
    ASSERT_TRUE(bench.again());
    const auto first = shared_principal_of(bench.found);
    EXPECT_EQ(first->subject, "u");
    EXPECT_EQ(first->source_name, "corp");
    EXPECT_EQ(first->claims.root().member("jti").string(), "j");
    EXPECT_EQ(bench.ask(kNow + 1), "recalled");
    EXPECT_EQ(shared_principal_of(bench.found), first) << "the same verdict, read again";
    ASSERT_TRUE(bench.again(kNow + 1));
    EXPECT_EQ(shared_principal_of(bench.found), first);
}

TEST(SharedPrincipal, OutlivesTheRequestAndTheMemory) {
    std::shared_ptr<const Principal> kept;
    jose::Issuer issuer = test_issuer();
    const RoleMap* roles = nullptr;
    {
        AgainBench bench;
        std::string text = bench.token.text;
        Recalled request;
        const TrustedIssuer* const issuers[] = {&bench.trusted};
        ASSERT_TRUE(recall_again(*bench.zone, bench.recent, text, issuers, kNow, request));
        request.issuer = &issuer;
        kept = shared_principal_of(request);
        roles = kept->role_map.get();
        text.assign(text.size(), 'x');
        bench.recent.sweep(static_cast<std::uint32_t>(kNow + 100));
    }
    EXPECT_EQ(kept->subject, "u");
    EXPECT_EQ(kept->issuer, "https://idp");
    EXPECT_EQ(kept->claims.root().member("jti").string(), "j");
    EXPECT_EQ(roles, nullptr);
}

TEST(SharedPrincipal, HasTheRolesOfNow) {
    AgainBench bench;
    ASSERT_TRUE(bench.again());
    const auto before = shared_principal_of(bench.found);
    auto roles = RoleMap::parse("r x;\n");
    ASSERT_TRUE(roles);
    bench.trusted.roles = std::make_shared<const RoleMap>(*std::move(roles));
    ASSERT_TRUE(bench.again());
    const auto after = shared_principal_of(bench.found);
    EXPECT_NE(after, before);
    EXPECT_EQ(after->role_map, bench.trusted.roles);
    EXPECT_EQ(before->role_map, nullptr) << "who came earlier keeps what was true then";
}

TEST(SharedPrincipal, IsNotAnotherIssuersWord) {
    AgainBench bench;
    ASSERT_TRUE(bench.again());
    EXPECT_EQ(shared_principal_of(bench.found)->subject, "u");
    // The same text under rules that read another subject from it.
    bench.issuer.subject_claim = {"jti"};
    bench.renew("first keys");
    EXPECT_FALSE(bench.again());
    EXPECT_EQ(bench.ask(), "unknown");
    bench.keep(bench.token);
    EXPECT_EQ(bench.ask(), "recalled");
    ASSERT_TRUE(bench.again());
    EXPECT_EQ(shared_principal_of(bench.found)->subject, "j");
}

TEST(KnownToken, IsNothingWithoutAZoneOrAFingerprint) {
    AgainBench bench;
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    const auto asked = [&](std::string_view text, cache::Zone* zone) {
        Request request;
        request.credential = {CredentialKind::kJwt, text};
        request.issuers = issuers;
        request.now = kNow;
        request.zone = zone;
        Authentication authentication(request);
        const bool known = authentication.known_token(bench.found).has_value();
        EXPECT_EQ(authentication.cache() == CacheOutcome::kBypass,
                  zone == nullptr || text.size() > cache::kMaxFingerprintText);
        return known;
    };
    EXPECT_FALSE(asked(bench.token.text, nullptr));
    EXPECT_TRUE(asked(bench.token.text, &*bench.zone));
    // Where no fingerprint is made, none must be looked for either.
    const auto found = bench.find(bench.token);
    ASSERT_TRUE(found && *found);
    bench.zone->verdicts.insert({}, static_cast<std::uint32_t>(kNow),
                                static_cast<std::uint32_t>(kNow) + 60, (*found)->words);
    EXPECT_FALSE(asked(std::string(cache::kMaxFingerprintText + 1, 'x'), &*bench.zone));
}

int allocations_left = 0;

void* failing_malloc(std::size_t size) {
    return allocations_left-- > 0 ? std::malloc(size) : nullptr;
}

// A rule such as "no claim banned" must not be met by a payload that could not be read.
TEST(SharedPrincipal, NeverTakesWantOfMemoryForAbsence) {
    AgainBench bench;
    ASSERT_TRUE(bench.again());
    const auto principal = shared_principal_of(bench.found);
    json_malloc_t malloc_before = nullptr;
    json_free_t free_before = nullptr;
    json_get_alloc_funcs(&malloc_before, &free_before);
    int refusals = 0;
    for (int enough = 0;; ++enough) {
        allocations_left = enough;
        json_set_alloc_funcs(failing_malloc, std::free);
        bool read = false;
        try {
            read = principal->claims.root().member("jti").present();
            EXPECT_TRUE(read);
        } catch (const std::bad_alloc&) {
            ++refusals;
        }
        json_set_alloc_funcs(malloc_before, free_before);
        if (read) break;
    }
    EXPECT_GT(refusals, 5);
    EXPECT_EQ(principal->claims.root().member("jti").string(), "j");
}

TEST(KnownToken, IsNotRememberedWhileItsRevocationCannotBeKnown) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.keep(token);
    RecentVerdicts recent;
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    Request request;
    request.credential = {CredentialKind::kJwt, token.text};
    request.issuers = issuers;
    request.now = kNow;
    request.zone = &*bench.zone;
    request.recent = &recent;
    request.revocations_unknown = Reason::kRevocationLag;
    for (int i = 0; i < 3; ++i) {
        Authentication authentication(request);
        Recalled found;
        EXPECT_EQ(authentication.known_token(found), Reason::kRevocationLag);
        EXPECT_FALSE(found.identity);
    }
    EXPECT_EQ(recent.find(token.text), nullptr);
}

TEST(KnownToken, IsNotLookedForAboveTheSize) {
    AgainBench bench;
    EXPECT_EQ(bench.ask(kNow, bench.token.text.size()), "recalled");
    EXPECT_EQ(bench.ask(kNow, bench.token.text.size() - 1), "unknown");
}

}  // namespace
}  // namespace gate::policy
