// Who is it? Authentication as a function without I/O: what cannot be answered from the request
// alone comes out as a Need, and its answer goes in through resume().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apikey/key_digest.h"
#include "apikey/key_format.h"
#include "apikey/record.h"
#include "base/reason.h"
#include "base/time.h"
#include "cache/zone.h"
#include "jose/header.h"
#include "jose/issuer.h"
#include "jose/jwt.h"
#include "jose/key_set.h"
#include "policy/principal.h"
#include "policy/recall.h"
#include "policy/roles.h"

namespace gate::policy {

enum class RoleField : std::uint8_t { kRoles, kScopes, kGroups };

// A gate_keys block as data; its records are looked up by the adapter.
struct KeyStore {
    std::string name;
    apikey::KeyFormat format;
    apikey::DigestKind digest = apikey::DigestKind::kSha256;
    std::vector<std::shared_ptr<const Secret>> peppers;  // kHmacSha256: the first digests new keys
    RoleField role_field = RoleField::kRoles;            // which field of a record names roles
    std::shared_ptr<const RoleMap> roles;
    std::uint64_t epoch = 0;  // of what turns a key into its digest; 0: digests are not kept
    // Of its rules and records, among all that this process has had; 0: they may change unseen.
    std::uint64_t state = 0;
};

// A credential as the sources found it. kNone: there is none.
struct Credential {
    CredentialKind kind = CredentialKind::kNone;
    std::string_view text;
};

// What kind of credential a text from a source shared by tokens and keys is: the store with the
// longest matching prefix, else a token if it has three dot-separated parts, else the one store
// without prefix, else (nothing fits) a token, which will be refused as malformed.
Credential classify(std::string_view text, std::span<const KeyStore* const> stores);

struct Request {
    Credential credential;
    std::span<const TrustedIssuer* const> issuers;
    std::span<const KeyStore* const> stores;
    bool optional = false;
    std::size_t max_size = 8192;
    Bytes client_address;  // 4 or 16 octets
    Seconds now = 0;
    jose::HeaderCache* headers = nullptr;  // remembers JOSE headers between requests
    cache::Zone* zone = nullptr;           // nullptr: every request is verified anew
    RecentVerdicts* recent = nullptr;      // spares looks into the zone
    // Why it cannot be known what is revoked; a credential that is good but for that is refused.
    Reason revocations_unknown = Reason::kNone;
    std::pmr::memory_resource* memory = std::pmr::get_default_resource();  // of the principal
};

struct Verified {
    std::shared_ptr<const Principal> principal;
    const void* source = nullptr;  // the jose::Issuer or KeyStore that answers for it
};
// An API key that is good; its principal is made when somebody asks.
struct VerifiedKey {
    std::shared_ptr<const apikey::Record> record;
    const KeyStore* store = nullptr;
};
std::shared_ptr<const Principal> principal_of(const VerifiedKey& key,
                                              std::pmr::memory_resource* memory);

struct Anonymous {};
struct Deny {
    Reason reason;
};
// Look up the record of `digest` in `store` and resume().
struct Need {
    const KeyStore* store;
    crypto::Digest256 digest;
};
using Outcome = std::variant<Verified, VerifiedKey, Anonymous, Deny, Need>;

// The answer to a Need: a record, nullptr for "no such key", or why it cannot be known.
struct Answer {
    std::shared_ptr<const apikey::Record> record;
    Reason failure = Reason::kNone;  // kStoreUnavailable, kStoreTimeout, kRecordBad
    bool found_by_digest = false;    // the record was looked up by comparing digests
};

// What the verdicts in shared memory contributed: nothing to ask them, or the answer.
enum class CacheOutcome : std::uint8_t { kBypass, kMiss, kHit };

// Why a key with this record does not get in now; kNone: it does. `zone` nullptr: nothing can have
// been revoked.
Reason judge_record(const apikey::Record& record, const KeyStore& store, Seconds now,
                    Bytes client_address, const cache::Zone* zone, Reason revocations_unknown);

// One authentication; at most apikey::kMaxPeppers needs. The request's views must outlive it.
class Authentication {
public:
    // The request must outlive this.
    explicit Authentication(const Request& request) : request_(request) {}

    // A token that shared memory knows costs no signature: kNone, and `found` is filled in; or why
    // it is refused. nullopt: start() has to see.
    std::optional<Reason> known_token(Recalled& found);
    // An API key that shared memory knows costs no digest: the lookup to make, as start() would ask
    // for it.
    std::optional<Need> known_key();
    Outcome start();
    // Valid only after a Need; anything else is Deny{kInternal}.
    Outcome resume(const Answer& answer);

    CacheOutcome cache() const noexcept { return cache_; }

private:
    Outcome start_jwt();
    Outcome start_key();
    // Whether the zone may know the credential; its fingerprint then.
    bool may_be_known();
    // What the zone says of the credential; false: nothing.
    bool read_verdict(VerdictWords& words) const;
    LocalPtr<SharedPrincipal> note_recent(const VerdictWords& words);
    Outcome next_need();

    const Request& request_;
    CacheOutcome cache_ = CacheOutcome::kBypass;
    cache::Fingerprint fingerprint_;
    const KeyStore* store_ = nullptr;
    std::size_t pepper_ = 0;
    bool waiting_ = false;
    crypto::Digest256 wanted_{};
};

}  // namespace gate::policy
