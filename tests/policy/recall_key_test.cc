// API keys whose digests a zone remembers.
#include <gtest/gtest.h>

#include "apikey/key_digest.h"
#include "policy/engine.h"
#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

const std::string kKey = std::string(43, 'k');

// A store of one key, asked as the adapter asks: memory first, then records by digest.
class KeyBench {
public:
    KeyBench() {
        store_.name = "partner";
        store_.format.checksum = false;
        store_.digest = apikey::DigestKind::kHmacSha256;
        set_peppers({"first pepper of at least 32 octets"});
        put("k1", 0);
    }

    // The peppers in force; digests of keys depend on them, so the epoch does.
    void set_peppers(const std::vector<std::string>& peppers) {
        store_.peppers.clear();
        std::string rules;
        for (const std::string& pepper : peppers) {
            store_.peppers.push_back(std::make_shared<const Secret>(bytes_of(pepper)));
            rules += pepper + ' ';
        }
        store_.epoch = epoch_of_store(store_.name, rules);
        ++store_.state;
    }
    void change_state(std::uint64_t state) { store_.state = state; }

    // The record of the key under a pepper; nullptr removes it.
    apikey::Record* put(const std::string& id, std::size_t pepper) {
        record_ = std::make_shared<apikey::Record>();
        record_->id = id;
        record_->digest =
            to_hex(apikey::digest_key(kKey, store_.digest, store_.peppers[pepper]->bytes()));
        return record_.get();
    }
    void remove() { record_ = nullptr; }
    const apikey::Record& record() const { return *record_; }
    void forget_epoch() { store_.epoch = 0; }

    std::string ask(Seconds now = kNow, Reason unknown = Reason::kNone) {
        const KeyStore* const stores[] = {&store_};
        Request request;
        request.credential = {CredentialKind::kKey, kKey};
        request.stores = stores;
        request.now = now;
        request.client_address = address;
        request.zone = &*bench.zone;
        request.recent = &recent;
        request.revocations_unknown = unknown;
        lookups = 0;
        Authentication authentication(request);
        const auto known = authentication.known_key();
        Outcome outcome = known ? Outcome(*known) : authentication.start();
        while (const auto* need = std::get_if<Need>(&outcome)) {
            Answer answer;
            ++lookups;
            if (record_ && record_->digest == to_hex(need->digest)) answer.record = record_;
            outcome = authentication.resume(answer);
        }
        const char* cache = authentication.cache() == CacheOutcome::kHit    ? "HIT "
                            : authentication.cache() == CacheOutcome::kMiss ? "MISS "
                                                                            : "BYPASS ";
        if (const auto* deny = std::get_if<Deny>(&outcome)) {
            return cache + std::string(code(deny->reason));
        }
        const auto* key = std::get_if<VerifiedKey>(&outcome);
        return cache + (key != nullptr ? key->record->id : std::string("?"));
    }

    // The id of the record that needs no look; "" where it has to be asked.
    std::string again(Seconds now = kNow) {
        const auto* const known = recall_key_again(*bench.zone, recent, kKey, store_.state, now);
        return known != nullptr ? (*known)->record->id : "";
    }
    // Asks until the process has the key in its own memory.
    void keep() {
        for (int i = 0; i < 3; ++i) ask();
    }

    RecallBench bench;
    RecentVerdicts recent;
    int lookups = 0;  // of the last key asked for
    std::vector<std::uint8_t> address;

private:
    KeyStore store_;
    std::shared_ptr<apikey::Record> record_;
};

TEST(RecalledKey, IsFoundByItsDigestFromThenOn) {
    KeyBench bench;
    EXPECT_EQ(bench.ask(), "MISS k1");
    EXPECT_EQ(bench.ask(), "HIT k1");
}

TEST(RecalledKey, IsWhatItsRecordSaysNow) {
    KeyBench bench;
    bench.ask();
    bench.put("k2", 0);
    EXPECT_EQ(bench.ask(), "HIT k2");
    bench.put("k2", 0)->status = apikey::KeyStatus::kSuspended;
    EXPECT_EQ(bench.ask(), "HIT key_suspended");
    bench.put("k2", 0)->expires = kNow + 1;
    EXPECT_EQ(bench.ask(kNow), "HIT k2");
    EXPECT_EQ(bench.ask(kNow + 1), "HIT key_expired");
    bench.remove();
    EXPECT_EQ(bench.ask(), "MISS key_unknown");
    bench.put("k3", 0);
    EXPECT_EQ(bench.ask(), "HIT k3");
}

TEST(RecalledKey, IsLookedForAnewUnderOtherPeppers) {
    KeyBench bench;
    bench.ask();
    bench.set_peppers({"second pepper of at least 32 octets"});
    EXPECT_EQ(bench.ask(), "MISS key_unknown");
    EXPECT_EQ(bench.lookups, 1) << "by the one digest that the key has now";
    bench.set_peppers(
        {"second pepper of at least 32 octets", "first pepper of at least 32 octets"});
    EXPECT_EQ(bench.ask(), "MISS k1");
    EXPECT_EQ(bench.ask(), "HIT k1");
    // Digested anew while it is known under the old one.
    bench.put("k1", 0);
    EXPECT_EQ(bench.ask(), "MISS k1");
    EXPECT_EQ(bench.ask(), "HIT k1");
}

TEST(RecalledKey, IsNotKeptForAStoreWithoutEpoch) {
    KeyBench bench;
    bench.forget_epoch();
    EXPECT_EQ(bench.ask(), "BYPASS k1");
    EXPECT_EQ(bench.ask(), "BYPASS k1");
    EXPECT_EQ(bench.bench.zone->verdicts.occupied(), 0U);
}

TEST(RecalledKey, IsNotKeptWhenNobodyHasIt) {
    KeyBench bench;
    bench.remove();
    EXPECT_EQ(bench.ask(), "MISS key_unknown");
    EXPECT_EQ(bench.ask(), "MISS key_unknown");
    EXPECT_EQ(bench.bench.zone->verdicts.occupied(), 0U);
}

TEST(RecalledKey, IsDeadWhenRevoked) {
    KeyBench bench;
    bench.ask();
    bench.bench.revoke(cache::RevocationKind::kKey, "partner", "k1");
    EXPECT_EQ(bench.ask(), "HIT revoked");
    EXPECT_EQ(bench.ask(), "HIT revoked");
}

TEST(RecalledKey, IsRefusedWhileItsRevocationCannotBeKnown) {
    KeyBench bench;
    EXPECT_EQ(bench.ask(kNow, Reason::kRevocationLag), "MISS revocation_lag");
    EXPECT_EQ(bench.ask(kNow, Reason::kRevocationFull), "HIT revocation_full");
    EXPECT_EQ(bench.ask(), "HIT k1");
    bench.put("k1", 0)->status = apikey::KeyStatus::kSuspended;
    EXPECT_EQ(bench.ask(kNow, Reason::kRevocationLag), "HIT key_suspended");
}

TEST(RecalledKey, IsNotKeptWhileSomebodyHoldsTheLock) {
    KeyBench bench;
    bench.bench.zone.taken = true;
    EXPECT_EQ(bench.ask(), "MISS k1");
    EXPECT_EQ(bench.ask(), "MISS k1");
}

TEST(RecallKeyAgain, KnowsAGoodKeyWithinTheSecond) {
    KeyBench bench;
    EXPECT_EQ(bench.again(), "");
    EXPECT_EQ(bench.ask(), "MISS k1");
    EXPECT_EQ(bench.ask(), "HIT k1");
    EXPECT_EQ(bench.again(), "") << "it has come once";
    EXPECT_EQ(bench.ask(), "HIT k1");
    EXPECT_EQ(bench.again(), "k1");
    EXPECT_EQ(bench.again(kNow + 1), "");
    EXPECT_EQ(bench.again(kNow - 1), "") << "nor when the clock was set back";
}

TEST(RecallKeyAgain, AsksWhenTheStoreIsAnother) {
    KeyBench bench;
    bench.keep();
    bench.change_state(77);
    EXPECT_EQ(bench.again(), "");
    bench.keep();
    EXPECT_EQ(bench.again(), "k1");
    bench.change_state(0);
    EXPECT_EQ(bench.ask(), "HIT k1");
    EXPECT_EQ(bench.again(), "") << "this one changes unseen";
}

TEST(RecallKeyAgain, AsksWhenSomethingWasRevoked) {
    KeyBench bench;
    bench.keep();
    bench.bench.revoke(cache::RevocationKind::kKey, "partner", "another");
    EXPECT_EQ(bench.again(), "");
    EXPECT_EQ(bench.ask(), "HIT k1");
    EXPECT_EQ(bench.again(), "k1");
    bench.bench.revoke(cache::RevocationKind::kKey, "partner", "k1");
    EXPECT_EQ(bench.again(), "");
    EXPECT_EQ(bench.ask(), "HIT revoked");
    EXPECT_EQ(bench.again(), "");
}

// What was kept a second before must not become new by a look that ends in a refusal.
TEST(RecallKeyAgain, DoesNotOutliveARefusal) {
    KeyBench bench;
    bench.put("k1", 0)->expires = kNow + 1;
    bench.keep();
    EXPECT_EQ(bench.again(), "k1");
    EXPECT_EQ(bench.ask(kNow + 1), "HIT key_expired");
    EXPECT_EQ(bench.again(kNow + 1), "");
}

TEST(RecallKeyAgain, LeavesAddressesToTheRecord) {
    KeyBench bench;
    const auto any = apikey::Network::parse("0.0.0.0/0");
    ASSERT_TRUE(any);
    bench.put("k1", 0)->networks = {*any};
    bench.address = {127, 0, 0, 1};
    bench.keep();
    EXPECT_EQ(bench.ask(), "HIT k1");
    EXPECT_EQ(bench.again(), "");
}

TEST(RecallKeyAgain, KeepsNothingWhileRevocationsAreUnknown) {
    KeyBench bench;
    bench.ask();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(bench.ask(kNow, Reason::kRevocationLag), "HIT revocation_lag");
    }
    EXPECT_EQ(bench.again(), "");
}

TEST(JudgeRecord, RefusesForEachReason) {
    RecallBench bench;
    KeyStore store;
    store.name = "k";
    apikey::Record record;
    record.id = "k1";
    record.owner = "o";
    const auto judge = [&](Reason unknown = Reason::kNone) {
        return judge_record(record, store, kNow, {}, &*bench.zone, unknown);
    };
    EXPECT_EQ(judge(), Reason::kNone);
    EXPECT_EQ(judge(Reason::kRevocationLag), Reason::kRevocationLag);
    record.expires = kNow;
    EXPECT_EQ(judge(), Reason::kKeyExpired);
    record.expires = kNow + 1;
    EXPECT_EQ(judge(), Reason::kNone);
    bench.revoke(cache::RevocationKind::kKey, "k", "k1");
    EXPECT_EQ(judge(), Reason::kRevoked);
    EXPECT_EQ(judge_record(record, store, kNow, {}, nullptr, Reason::kNone), Reason::kNone);
    apikey::Record unsafe;
    unsafe.owner = "a\nb";
    EXPECT_EQ(judge_record(unsafe, store, kNow, {}, nullptr, Reason::kNone), Reason::kClaimUnsafe);
}

TEST(RecalledKey, IsNoToken) {
    KeyBench keys;
    keys.ask();
    // What stands under a key's fingerprint is no verdict of any issuer.
    RecallBench& bench = keys.bench;
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    Recalled found;
    EXPECT_FALSE(bench.recall_text(kKey, issuers, found));
    EXPECT_NE(epoch_of_store("corp", "first keys"), epoch_of(bench.issuer, "first keys"));
}

TEST(EpochOfStore, ChangesWithNameAndRules) {
    EXPECT_EQ(epoch_of_store("a", "b"), epoch_of_store("a", "b"));
    EXPECT_NE(epoch_of_store("a", "b"), epoch_of_store("a", "c"));
    EXPECT_NE(epoch_of_store("a", "b"), epoch_of_store("ab", ""));
    EXPECT_NE(epoch_of_store("a", "b"), 0U);
}

}  // namespace
}  // namespace gate::policy
