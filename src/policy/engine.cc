#include "policy/engine.h"

#include <algorithm>

#include "base/bytes.h"
#include "jose/token.h"

namespace gate::policy {

namespace {

// The store with the longest prefix that `text` begins with; an empty prefix is the shortest.
const KeyStore* find_store(std::string_view text,
                           std::span<const KeyStore* const> stores) noexcept {
    const KeyStore* best = nullptr;
    for (const KeyStore* store : stores) {
        const std::string& prefix = store->format.prefix;
        if (!text.starts_with(prefix)) continue;
        if (best == nullptr || prefix.size() > best->format.prefix.size()) best = store;
    }
    return best;
}

const TrustedIssuer* find_issuer(std::optional<std::string_view> iss,
                                 std::span<const TrustedIssuer* const> issuers) noexcept {
    for (const TrustedIssuer* trusted : issuers) {
        if (trusted->issuer->iss == iss) return trusted;
    }
    return nullptr;
}

bool are_safe(const TextList& values) noexcept {
    return std::all_of(values.begin(), values.end(), is_safe_identity);
}

// What a principal says of itself reaches headers, variables and logs: unsafe text is refused here,
// once, and not cleaned (a cleaned name is another name).
bool is_safe(const Principal& principal) {
    return is_safe_identity(principal.subject) && is_safe_identity(principal.issuer) &&
           is_safe_identity(principal.client) && is_safe_identity(principal.key_id()) &&
           is_safe_identity(principal.key_name) && are_safe(principal.scopes) &&
           are_safe(principal.roles) && are_safe(principal.groups);
}

bool are_safe(const std::vector<std::string>& values) noexcept {
    return std::ranges::all_of(values, is_safe_identity);
}

bool is_safe(const apikey::Record& record) {
    if (!record.safe) {
        record.safe = is_safe_identity(record.owner) && is_safe_identity(record.id) &&
                      is_safe_identity(record.name) && are_safe(record.scopes) &&
                      are_safe(record.roles) && are_safe(record.groups);
    }
    return *record.safe;
}

}  // namespace

std::shared_ptr<const Principal> principal_of(const VerifiedKey& key,
                                              std::pmr::memory_resource* memory) {
    const std::shared_ptr<const apikey::Record>& record = key.record;
    const KeyStore& store = *key.store;
    auto principal =
        std::allocate_shared<Principal>(std::pmr::polymorphic_allocator<Principal>(memory), memory);
    principal->kind = CredentialKind::kKey;
    principal->source_name = store.name;
    principal->subject = record->owner;
    principal->key_name = record->name;
    principal->scopes.assign(record->scopes.begin(), record->scopes.end());
    principal->roles.assign(record->roles.begin(), record->roles.end());
    principal->groups.assign(record->groups.begin(), record->groups.end());
    // The field that names roles is not also what it is called.
    if (store.role_field == RoleField::kScopes) {
        principal->roles.swap(principal->scopes);
        principal->scopes.clear();
    } else if (store.role_field == RoleField::kGroups) {
        principal->roles.swap(principal->groups);
        principal->groups.clear();
    }
    principal->scopes_are_patterns = true;
    principal->expires = record->expires;
    principal->claims = record->labels;
    principal->role_map = store.roles;
    principal->record = record;
    return principal;
}

[[gnu::hot]] Reason judge_record(const apikey::Record& record, const KeyStore& store, Seconds now,
                                 Bytes client_address, const cache::Zone* zone,
                                 Reason revocations_unknown) {
    if (const auto usable = apikey::check_record(record, now, client_address); !usable) {
        return usable.error();
    }
    if (!is_safe(record)) return Reason::kClaimUnsafe;
    if (zone != nullptr) {
        const auto alive = check_revocation(*zone, record, store.name, now);
        if (!alive) return alive.error();
    }
    return revocations_unknown;
}

Credential classify(std::string_view text, std::span<const KeyStore* const> stores) {
    const KeyStore* store = find_store(text, stores);
    if (store != nullptr && !store->format.prefix.empty()) return {CredentialKind::kKey, text};
    const bool three_parts = std::count(text.begin(), text.end(), '.') == 2;
    const bool key = store != nullptr && !three_parts;
    return {key ? CredentialKind::kKey : CredentialKind::kJwt, text};
}

Outcome Authentication::start() {
    waiting_ = false;
    switch (request_.credential.kind) {
        case CredentialKind::kNone:
            if (request_.optional) return Anonymous{};
            return Deny{Reason::kNoCredential};
        case CredentialKind::kJwt:
            return start_jwt();
        case CredentialKind::kKey:
            return start_key();
        case CredentialKind::kBasic:
            break;
    }
    return Deny{Reason::kInternal};
}

bool Authentication::may_be_known() {
    const std::string_view text = request_.credential.text;
    if (request_.zone == nullptr ||
        text.size() > std::min(request_.max_size, cache::kMaxFingerprintText)) {
        return false;
    }
    cache_ = CacheOutcome::kMiss;
    const auto* const known = request_.recent != nullptr ? request_.recent->find(text) : nullptr;
    fingerprint_ =
        known != nullptr ? known->fingerprint : fingerprint(request_.zone->fingerprint_key(), text);
    return true;
}

bool Authentication::read_verdict(VerdictWords& words) const {
    return request_.zone->verdicts.find(fingerprint_, saturated(request_.now), words);
}

LocalPtr<SharedPrincipal> Authentication::note_recent(const VerdictWords& words) {
    if (request_.recent == nullptr) return nullptr;
    const auto* const entry = request_.recent->note(request_.credential.text, fingerprint_, words,
                                                    saturated(request_.now));
    return entry != nullptr ? entry->identity : nullptr;
}

std::optional<Reason> Authentication::known_token(Recalled& found) {
    if (!may_be_known() || !read_verdict(found.words)) return std::nullopt;
    const auto known = recall(*request_.zone, fingerprint_, request_.credential.text,
                              request_.issuers, request_.now, found);
    if (!known) return std::nullopt;
    cache_ = CacheOutcome::kHit;
    if (*known != Reason::kNone) return known;
    if (request_.revocations_unknown != Reason::kNone) return request_.revocations_unknown;
    found.identity = note_recent(found.words);
    return Reason::kNone;
}

std::optional<Need> Authentication::known_key() {
    store_ = find_store(request_.credential.text, request_.stores);
    if (store_ == nullptr || store_->epoch == 0) return std::nullopt;
    if (!may_be_known()) return std::nullopt;
    VerdictWords words;
    if (!read_verdict(words)) return std::nullopt;
    const auto digest = recall_digest(words, store_->epoch);
    if (!digest) return std::nullopt;
    note_recent(words);
    cache_ = CacheOutcome::kHit;
    wanted_ = *digest;
    waiting_ = true;
    return Need{store_, wanted_};
}

Outcome Authentication::start_jwt() {
    const std::string_view text = request_.credential.text;
    if (text.size() > request_.max_size) return Deny{Reason::kTokTooLong};
    const auto token = jose::parse_token(text, request_.headers);
    if (!token) return Deny{token.error()};
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return Deny{payload.error()};

    const auto iss = jose::issuer_of(*payload);
    if (!iss) return Deny{iss.error()};
    const TrustedIssuer* trusted = find_issuer(*iss, request_.issuers);
    if (trusted == nullptr) return Deny{Reason::kIssMismatch};
    if (!trusted->keys) return Deny{Reason::kJwksUnavailable};
    const auto claims =
        jose::verify_jwt(*token, *payload, *trusted->issuer, *trusted->keys, request_.now);
    if (!claims) return Deny{claims.error()};
    auto principal = principal_of(*claims, *trusted->issuer, trusted->roles, request_.memory);
    principal->header = token->header.document;
    if (!is_safe(*principal)) return Deny{Reason::kClaimUnsafe};
    if (cache_ == CacheOutcome::kMiss) {
        const auto alive = remember(*request_.zone, fingerprint_, text, text_of(token->payload),
                                    *claims, *trusted, request_.now);
        if (!alive) return Deny{alive.error()};
    }
    if (request_.revocations_unknown != Reason::kNone) return Deny{request_.revocations_unknown};
    return Verified{std::move(principal), trusted->issuer};
}

Outcome Authentication::start_key() {
    const std::string_view key = request_.credential.text;
    if (key.size() > request_.max_size) return Deny{Reason::kTokTooLong};
    store_ = find_store(key, request_.stores);
    if (store_ == nullptr) return Deny{Reason::kKeyMalformed};
    if (auto shape = apikey::check_key(store_->format, key); !shape) return Deny{shape.error()};
    const bool keyed = store_->digest == apikey::DigestKind::kHmacSha256;
    // Without its pepper a store cannot tell one key from another.
    if (keyed && store_->peppers.empty()) return Deny{Reason::kInternal};
    pepper_ = 0;
    return next_need();
}

Outcome Authentication::next_need() {
    const bool keyed = store_->digest == apikey::DigestKind::kHmacSha256;
    const std::size_t attempts = keyed ? std::min(store_->peppers.size(), apikey::kMaxPeppers) : 1;
    if (pepper_ >= attempts) return Deny{Reason::kKeyUnknown};
    const Bytes pepper = keyed ? store_->peppers[pepper_]->bytes() : Bytes{};
    wanted_ = apikey::digest_key(request_.credential.text, store_->digest, pepper);
    waiting_ = true;
    return Need{store_, wanted_};
}

Outcome Authentication::resume(const Answer& answer) {
    if (!waiting_) return Deny{Reason::kInternal};
    waiting_ = false;
    if (answer.failure != Reason::kNone) return Deny{answer.failure};
    if (!answer.record) {
        // What was found by this digest before may be there under another pepper's now.
        pepper_ = cache_ == CacheOutcome::kHit ? 0 : pepper_ + 1;
        if (cache_ == CacheOutcome::kHit) cache_ = CacheOutcome::kMiss;
        return next_need();
    }
    // A store that answers with another key's record must not let that key in.
    if (!answer.found_by_digest) {
        const std::string wanted = to_hex(wanted_);
        if (!crypto::equal_constant_time(bytes_of(answer.record->digest), bytes_of(wanted))) {
            return Deny{Reason::kRecordBad};
        }
    }
    const std::uint64_t changes =
        request_.zone != nullptr ? request_.zone->revocations.changes() : 0;
    const Reason refused =
        judge_record(*answer.record, *store_, request_.now, request_.client_address, request_.zone,
                     request_.revocations_unknown);
    // Nothing else speaks against the key.
    if (refused == request_.revocations_unknown && cache_ == CacheOutcome::kMiss) {
        remember_digest(*request_.zone, fingerprint_, store_->epoch, wanted_, request_.now);
    }
    if (refused != Reason::kNone) return Deny{refused};
    if (cache_ == CacheOutcome::kHit && request_.recent != nullptr &&
        answer.record->networks.empty()) {
        request_.recent->note_key(request_.credential.text,
                                  {make_local<SharedRecord>(answer.record), store_->state, changes,
                                   saturated(request_.now)});
    }
    return VerifiedKey{answer.record, store_};
}

}  // namespace gate::policy
