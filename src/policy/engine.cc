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
                                 std::span<const TrustedIssuer> issuers) noexcept {
    for (const TrustedIssuer& trusted : issuers) {
        if (trusted.issuer->iss == iss) return &trusted;
    }
    return nullptr;
}

bool are_safe(const std::vector<std::string_view>& values) noexcept {
    return std::all_of(values.begin(), values.end(), is_safe_identity);
}

// What a principal says of itself reaches headers, variables and logs: unsafe text is refused here,
// once, and not cleaned (a cleaned name is another name).
Outcome verified(std::shared_ptr<const Principal> principal) {
    const bool safe = is_safe_identity(principal->subject) && is_safe_identity(principal->issuer) &&
                      is_safe_identity(principal->client) && is_safe_identity(principal->key_id) &&
                      is_safe_identity(principal->key_name) && are_safe(principal->scopes) &&
                      are_safe(principal->roles) && are_safe(principal->groups);
    if (!safe) return Deny{Reason::kClaimUnsafe};
    return Verified{std::move(principal)};
}

std::shared_ptr<Principal> make_principal(jose::Claims claims, const jose::Token& token,
                                          const TrustedIssuer& trusted) {
    auto principal = std::make_shared<Principal>();
    principal->kind = CredentialKind::kJwt;
    principal->source_name = trusted.issuer->name;
    principal->subject = std::move(claims.subject);
    principal->issuer = claims.issuer;
    principal->client = claims.client;
    if (token.header.kid) principal->key_id = *token.header.kid;
    principal->scopes = std::move(claims.scopes);
    principal->roles = std::move(claims.roles);
    principal->groups = std::move(claims.groups);
    principal->expires = claims.expires;
    principal->claims = std::move(claims.payload);
    principal->header = token.header.document;
    principal->role_map = trusted.roles;
    return principal;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
    return {texts.begin(), texts.end()};
}

std::shared_ptr<Principal> make_principal(const std::shared_ptr<const apikey::Record>& record,
                                          const KeyStore& store) {
    auto principal = std::make_shared<Principal>();
    principal->kind = CredentialKind::kKey;
    principal->source_name = store.name;
    principal->subject = record->owner;
    principal->key_id = record->id;
    principal->key_name = record->name;
    principal->scopes = views_of(record->scopes);
    principal->roles = views_of(record->roles);
    principal->groups = views_of(record->groups);
    // The field that names roles is not also what it is called.
    if (store.role_field == RoleField::kScopes) {
        principal->roles = std::exchange(principal->scopes, {});
    } else if (store.role_field == RoleField::kGroups) {
        principal->roles = std::exchange(principal->groups, {});
    }
    principal->scopes_are_patterns = true;
    principal->expires = record->expires;
    principal->claims = record->labels;
    principal->role_map = store.roles;
    principal->record = record;
    return principal;
}

}  // namespace

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
    auto claims =
        jose::verify_jwt(*token, *payload, *trusted->issuer, *trusted->keys, request_.now);
    if (!claims) return Deny{claims.error()};
    return verified(make_principal(*std::move(claims), *token, *trusted));
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
        ++pepper_;
        return next_need();
    }
    // A store that answers with another key's record must not let that key in.
    const std::string wanted = to_hex(wanted_);
    if (!crypto::equal_constant_time(bytes_of(answer.record->digest), bytes_of(wanted))) {
        return Deny{Reason::kRecordBad};
    }
    const auto usable = apikey::check_record(*answer.record, request_.now, request_.client_address);
    if (!usable) return Deny{usable.error()};
    return verified(make_principal(answer.record, *store_));
}

}  // namespace gate::policy
