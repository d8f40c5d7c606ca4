// What the directives say, as data. Filled while nginx parses, completed in merge and
// postconfiguration, constant while requests run; what watched files change lives in live.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/siphash.h"
#include "http/header_pattern.h"
#include "http/set_cookie.h"
#include "jose/issuer.h"
#include "nginx/limit_conf.h"
#include "nginx/live.h"
#include "nginx/ngx.h"
#include "nginx/template.h"
#include "nginx/zone.h"
#include "policy/challenge.h"
#include "policy/field_names.h"
#include "policy/reply_fields.h"
#include "policy/reply_template.h"
#include "policy/requirement.h"
#include "policy/source.h"

namespace gate::nginx {

// Where a directive stands, for messages after parsing.
struct Where {
    std::string file;
    ngx_uint_t line = 0;
    std::string text() const { return file + ":" + std::to_string(line); }
};

// A setting that a level either makes or inherits.
template <class T>
class Setting {
public:
    bool set() const noexcept { return value_.has_value(); }
    void operator=(T value) { value_ = std::move(value); }
    void inherit(const Setting& parent, T otherwise) {
        if (!value_)
            value_ = parent.value_ ? parent.value_ : std::optional<T>(std::move(otherwise));
    }
    // Valid after merging.
    const T& operator*() const noexcept { return *value_; }
    const T* operator->() const noexcept { return &*value_; }

private:
    std::optional<T> value_;
};

enum class CookieOrigin : std::uint8_t { kSame, kAny, kVariable };

// One gate_source line (or a default).
struct SourceConf {
    policy::SourceType type = policy::SourceType::kHeader;
    std::string name;    // of the header (lower case), cookie or argument
    std::string scheme;  // of a header; empty: the whole value
    CookieOrigin origin = CookieOrigin::kSame;
    ngx_int_t variable = -1;  // index of the source's or the origin's variable
    Where where;
};

// gate jwt[=..] | key[=..] ..
struct GateConf {
    bool on = false;
    bool jwt = false;
    bool key = false;
    bool optional = false;
    bool challenge = true;
    std::vector<const policy::TrustedIssuer*> trusted;  // of issuers, in their order
    std::vector<const policy::KeyStore*> key_stores;    // of stores, in their order
    std::vector<LiveStore*> stores;                     // resolved in postconfiguration
    std::vector<LiveIssuer*> issuers;                   // resolved in postconfiguration
    std::vector<std::string> issuer_names;              // empty with jwt: the only declared one
    std::vector<std::string> store_names;
    ngx_http_complex_value_t* realm = nullptr;  // nullptr: the server's name
    Where where;
};

// One gate_require* line.
struct RequireConf {
    std::shared_ptr<const policy::Requirement> requirement;
    std::vector<Template> values;
    std::string directive;  // "gate_require_scope"
    std::string text;       // its arguments as written, for reports
    Where where;
};

// A place where credentials are looked for, and the kinds that may stand there.
struct SourcePlace {
    bool for_jwt = false;
    bool for_key = false;
    bool known_header = false;  // nginx keeps pointers to headers of this name
    ngx_int_t cached = -1;      // index of the variable that may hold such a header's value
    SourceConf source;
};

// The only place of a gate that strips it, where that is a header.
struct LoneHeader {
    http::HeaderPattern pattern;                                  // matches nothing: there is none
    std::int32_t cached = -1;                                     // SourcePlace::cached
    policy::CredentialKind kind = policy::CredentialKind::kNone;  // kNone: the text says it
    bool known_header = false;                                    // SourcePlace::known_header
};

struct IdentityConf {
    std::string name;  // as written
    std::string lowcase;
    ngx_uint_t hash = 0;  // of lowcase, as nginx keeps it beside a header
    ngx_http_complex_value_t value{};
    Where where;
};

struct ReplyConf {
    std::optional<policy::ReplyOutcome> outcome;  // nullopt: of every refusal with the status
    int status = 0;
    std::string type;  // Content-Type
    std::shared_ptr<const policy::ReplyTemplate> body;
};

// One gate_revocation_lookup line.
struct RevocationLookupConf {
    std::string command;              // EXISTS, SISMEMBER or HEXISTS
    std::vector<Template> arguments;  // the key, and what is looked for in it
    std::string redis_name;
    const RedisConf* redis = nullptr;  // of that name
    ngx_msec_t valid = 1000;           // how long an answer counts
    Where where;
};
using RevocationLookups = std::vector<std::shared_ptr<RevocationLookupConf>>;

// One gate_cookie line.
struct TokenCookie {
    bool refresh = false;  // of the refresh token
    http::CookieSettings settings;
};

struct LoginConf {
    bool on = false;
    ngx_http_complex_value_t url{};
    std::string return_arg = "rd";
};

enum class Preflight : std::uint8_t { kAnswer, kPass, kCheck };
enum class DotSegments : std::uint8_t { kRefuse, kPass };
enum class ErrorFormat : std::uint8_t { kAuto, kProblem, kJson, kText, kOff };
enum class HealthForm : std::uint8_t { kPage, kJson, kReady, kRoutes };
enum class MetricsFormat : std::uint8_t { kPrometheus, kJson };

// What gate_jwks says of a key set; made anew when the issuer has another one.
struct PublishedKeys {
    std::shared_ptr<const jose::KeySet> of;
    std::string text;
    std::string tag;  // ETag
};

// What gate_refresh accepts.
struct RefreshConf {
    bool body = true;
    bool cookie = false;
    bool bearer = false;
    Seconds expired = 0;           // beyond "exp" of a bearer token
    Seconds reuse = 10;            // a second use within this is no theft
    Seconds session = 30 * 86400;  // from the login
    jose::Issuer refresh_rules;    // of refresh tokens
    jose::Issuer access_rules;     // of bearer tokens
};

struct LocConf;
struct MainConf;

// What answers the requests of a location in an application's place: one directive.
struct ContentConf {
    ngx_http_handler_pt handler = nullptr;  // nullptr: none of the gate's
    // Finds what the directive names, once all is known; false after a message. nullptr: nothing.
    bool (*complete)(ngx_conf_t* cf, const MainConf& main, LocConf& loc) = nullptr;
    std::string directive;
    Where where;
    HealthForm health = HealthForm::kPage;
    MetricsFormat metrics = MetricsFormat::kPrometheus;
    std::string issuer_name;  // gate_jwks, gate_login, gate_refresh
    const LiveIssuer* issuer = nullptr;
    std::shared_ptr<PublishedKeys> published;
    std::string users_name;  // gate_login, gate_refresh; empty: the only ones
    const LiveUsers* users = nullptr;
    RefreshConf refresh;  // gate_refresh
};

// What each request reads, so that it has cache lines of its own. After merge.
struct alignas(64) LocationOutline {
    LoneHeader lone_header;  // of a gate without a dry run
    // A gate that asks for no more than a good credential; no dry run.
    bool only_identifies = false;
    bool sets_identity = false;  // LocConf::identity is not empty

    alignas(64) const ZoneConf* zone = nullptr;        // nullptr: no gate_zone
    const ngx_http_core_srv_conf_t* server = nullptr;  // whose location it is
    Setting<std::size_t> max_token_size;
    const policy::TrustedIssuer* lone_issuer = nullptr;  // the only one that the gate trusts
    const policy::KeyStore* lone_store = nullptr;        // the only one that it asks
};

struct LocConf : LocationOutline {
    std::vector<SourcePlace> places;   // of the kinds that the gate accepts, in order; after merge
    bool only_header_sources = false;  // of places
    Setting<policy::ConflictRule> conflict;
    Setting<bool> strip;
    Setting<bool> dry_run;
    Setting<Preflight> preflight;
    Setting<GateConf> gate;
    Setting<std::vector<IdentityConf>> identity;
    std::vector<RequireConf> requires_;  // own lines while parsing, the whole list after merge
    Setting<Limits> limits;              // empty: off
    Setting<Limits> fail_limits;         // empty: off
    Setting<RevocationLookups> lookups;  // empty: off
    Setting<std::vector<SourceConf>> jwt_sources;
    Setting<std::vector<SourceConf>> key_sources;
    bool drop_inherited_requires = false;  // gate_require off
    Setting<ErrorFormat> error_format;
    Setting<std::vector<ReplyConf>> replies;
    Setting<LoginConf> login;
    Setting<policy::FieldNames> fields;  // gate_field
    Setting<std::vector<TokenCookie>> cookies;
    Setting<ngx_uint_t> log_level;
    ContentConf content;  // not inherited
    std::string name;     // "location /orders/" for reports; "" at http and server level
    Where where;          // of the block
};

// Lower case, with '-' for all but letters and digits: names that some application takes for one
// (CGI variables, PHP, WSGI) are equal.
constexpr char normal_header_character(char c) noexcept {
    const char lower = ascii_lower(c);
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    return plain ? lower : '-';
}
std::string normal_header_name(std::string_view name);

// gate_claim $variable path [as=..]
enum class ClaimForm : std::uint8_t { kText, kJson, kBase64url };
struct ClaimVariable {
    std::string name;  // without '$', lower case
    std::string path;
    ClaimForm form = ClaimForm::kText;
};

// Which header names may be among some: false for most that are not, whatever their case and
// whichever of their characters normal_header_name() replaces.
class NameMarks {
public:
    void add(std::string_view name) noexcept {
        sizes_ |= bit_of(name.size());
        ends_ |= end_of(name);
    }
    bool may_hold(std::string_view name) const noexcept {
        return (sizes_ & bit_of(name.size())) != 0 && (ends_ & end_of(name)) != 0;
    }

private:
    static std::uint64_t bit_of(std::size_t size) noexcept {
        return std::uint64_t{1} << (size & 63);
    }
    // The bit of its last character: one for each letter, and one for all others.
    static std::uint32_t end_of(std::string_view name) noexcept {
        const unsigned letter = name.empty() ? 26 : (name.back() | 0x20u) - 'a';
        return std::uint32_t{1} << std::min(letter, 26u);
    }

    std::uint64_t sizes_ = 0;
    std::uint32_t ends_ = 0;
};

struct alignas(64) SrvConf {
    // What each request reads; completed in postconfiguration.
    NameMarks identity_marks;  // of the headers that hook 1 removes, if any
    bool clears_identity = false;
    bool refuses_dot_segments = false;
    bool has_arguments = false;

    std::set<std::string> argument_names;  // of all arg= sources in this server, after merge
    Setting<DotSegments> dot_segments;
    Setting<bool> identity_clear_off;
};

// A header name that some gate_identity or gate_identity_clear line removes from every request.
struct IdentityLine {
    std::string directive;
    std::string name;  // as written
    Where where;
};

// A level after merging, with the nginx structures it belongs to. `parent` of a server's own level
// is the http level's.
struct Level {
    LocConf* conf;
    LocConf* parent;
    ngx_http_core_loc_conf_t* core;
    ngx_http_core_srv_conf_t* server;
};

struct MainConf {
    std::unique_ptr<ZoneConf> zone;  // nullptr: no gate_zone
    // Normalised (see normal_header_name) names of all gate_identity and gate_identity_clear lines.
    std::set<std::string, std::less<>> identity_names;
    // Indexes of cached variables that could hold a credential: $http_*, $cookie_*, $request_uri,
    // ..
    std::vector<ngx_uint_t> credential_variables;
    std::vector<ngx_uint_t> gate_variables;

    std::vector<std::unique_ptr<LiveIssuer>> issuers;
    std::vector<std::unique_ptr<LiveStore>> stores;
    std::vector<std::unique_ptr<LiveRoles>> roles;
    std::vector<std::unique_ptr<LiveUsers>> users;
    std::vector<std::unique_ptr<RedisConf>> redis;
    std::optional<JournalConf> revocation;
    std::optional<StreamConf> followed;
    std::vector<std::unique_ptr<ClaimVariable>> claim_variables;
    std::vector<IdentityLine> identity_lines;
    std::vector<Level> levels;  // servers and locations, each behind its parent
    // What gate_health routes serves; empty where nobody asks for it.
    std::string routes_json;
    std::string routes_html;
    SipKey token_id_key{};
    time_t loaded = 0;  // when the master read the configuration and its files
};

inline MainConf& main_conf(ngx_http_request_t* r) noexcept {
    return *static_cast<MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_gate_module));
}
inline const SrvConf& srv_conf(ngx_http_request_t* r) noexcept {
    return *static_cast<const SrvConf*>(ngx_http_get_module_srv_conf(r, ngx_http_gate_module));
}
inline const LocConf& loc_conf(ngx_http_request_t* r) noexcept {
    return *static_cast<const LocConf*>(ngx_http_get_module_loc_conf(r, ngx_http_gate_module));
}

// ngx_http_module_t callbacks, and postconfiguration's resolving and checking.
void* create_main_conf(ngx_conf_t* cf) noexcept;
void* create_srv_conf(ngx_conf_t* cf) noexcept;
void* create_loc_conf(ngx_conf_t* cf) noexcept;
char* merge_srv_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;
char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;

// Resolves names of issuers, stores and role maps, loads their files, checks what only the whole
// configuration can show. NGX_OK or NGX_ERROR after a message with file and line.
ngx_int_t complete_configuration(ngx_conf_t* cf);

extern ngx_command_t directives[];

}  // namespace gate::nginx
