#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "base/json_object.h"
#include "jose/issue.h"
#include "jose/jwt.h"
#include "nginx/conf_check.h"
#include "nginx/setters.h"
#include "policy/reply_fields.h"

namespace gate::nginx {

namespace {

constexpr Seconds kLongest = 3650 * Seconds{86400};

bool take_life(const Directive& word, std::string_view name, std::string_view text, Seconds& life) {
    const auto seconds = parse_duration(text);
    if (!seconds || *seconds < 1 || *seconds > kLongest) {
        return word.unknown(std::string(name) + "=" + std::string(text),
                            std::string(name) + "= with a time such as 1h, at most 3650d");
    }
    life = *seconds;
    return true;
}

bool is_field(std::string_view text) noexcept {
    return text.find('$') != std::string_view::npos;
}

// Exactly "$field": words joined by dots.
bool is_one_field(std::string_view text) noexcept {
    bool joined = false;
    for (const char c : text.substr(1)) {
        if (!is_word(c) && (c != '.' || !joined)) return false;
        joined = is_word(c);
    }
    return joined && text.starts_with('$');
}

// A user who has none of it leaves the claim out.
std::string template_of(const std::string& value) {
    return is_field(value) && is_one_field(value) ? value + '?' : value;
}

std::vector<std::string> user_fields() {
    std::vector<std::string> names = policy::reply_field_names(policy::ReplyOutcome::kLogin);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("user."); });
    return names;
}

Result<policy::ReplyTemplate, std::string> compile(const ClaimLines& claims) {
    JsonObject object;
    for (const auto& [name, value] : claims) object.text(name, template_of(value));
    const std::vector<std::string> names = user_fields();
    return policy::ReplyTemplate::parse(object.str(), {names.begin(), names.end()});
}

// What the issuer makes it must accept.
bool check_acceptance(const Directive& directive, const jose::Issuer& issuer,
                      const ClaimLines& claims) {
    const jose::Signing& signing = *issuer.signing;
    if (issuer.max_lifetime != 0 && signing.access > issuer.max_lifetime) {
        return fail_block(directive, "signs tokens that live longer than its \"max_lifetime\" of " +
                                         std::to_string(issuer.max_lifetime) +
                                         "s; shorten access= or leave max_lifetime out");
    }
    for (const std::string& name : issuer.require_claims) {
        const bool own = std::ranges::find(jose::kOwnClaims, name) != std::end(jose::kOwnClaims);
        const bool said =
            std::ranges::any_of(claims, [&name](const auto& claim) { return claim.first == name; });
        if (!own && !said) {
            return fail_block(directive, "requires the claim " + quoted(name) +
                                             ", which its own tokens do not have; write \"claim " +
                                             name + " $user...;\"");
        }
    }
    return true;
}

// A refresh token, whoever made it, is good for nothing but more tokens.
bool check_types(const Directive& directive, const jose::Issuer& issuer) {
    const auto found = std::ranges::find_if(issuer.types, [](const std::string& type) {
        return jose::is_same_type(type, jose::kRefreshType);
    });
    return found == issuer.types.end() ||
           fail_block(directive, "accepts the type " + quoted(*found) +
                                     ", which is that of refresh tokens; leave it out of \"type\"");
}

}  // namespace

bool set_issuer_sign(Directive& word, jose::Issuer& issuer) {
    jose::Signing signing;
    bool named_access = false;
    for (const std::string_view value : word.values()) {
        if (const auto access = option(value, "access")) {
            named_access = true;
            if (!take_life(word, "access", *access, signing.access)) return false;
        } else if (const auto refresh = option(value, "refresh")) {
            if (!take_life(word, "refresh", *refresh, signing.refresh)) return false;
        } else if (const auto kid = option(value, "kid"); kid && !kid->empty()) {
            signing.kid = *kid;
        } else {
            return word.unknown(value, "access=, refresh= or kid=");
        }
    }
    if (!named_access) return word.fail("says no lifetime; write access=1h or another");
    if (signing.refresh != 0 && signing.refresh <= signing.access) {
        return word.fail(
            "has a refresh= that is no longer than access=, so there would be nothing to refresh");
    }
    signing.where = word.where().text();
    issuer.signing = std::move(signing);
    return true;
}

bool add_issuer_claim(Directive& word, ClaimLines& claims) {
    const std::string name(word.values()[0]);
    if (std::ranges::find(jose::kOwnClaims, name) != std::end(jose::kOwnClaims)) {
        return word.fail("sets " + quoted(name) +
                         ", which the issuer sets itself; leave the line out");
    }
    const auto same = [&name](const auto& claim) { return claim.first == name; };
    if (std::ranges::any_of(claims, same)) return word.fail("sets " + quoted(name) + " twice");
    const std::string value(word.values()[1]);
    if (is_field(value) && !value.starts_with("$user.")) {
        return word.unknown(value, "a field of the user such as $user.role, or plain text");
    }
    if (const auto good = compile({{name, value}}); !good) {
        return word.fail("cannot be used: " + good.error());
    }
    claims.emplace_back(name, value);
    return true;
}

bool find_issuing(ngx_conf_t* cf, const MainConf& main, ContentConf& content) {
    const std::string where = content.where.text();
    content.issuer = find_issuer(cf, main, content);
    if (content.issuer == nullptr) return false;
    if (!content.issuer->issuer.signing) {
        return fail_at(cf, where,
                       quoted(content.directive) + " names issuer " + quoted(content.issuer_name) +
                           ", which makes no tokens; write \"sign access=1h;\" into its block (" +
                           content.issuer->where + ")");
    }
    std::vector<std::string> names;
    for (const auto& users : main.users) {
        names.push_back(users->name);
        if (users->name == content.users_name) content.users = users.get();
    }
    const bool only = content.users_name.empty() && main.users.size() == 1;
    if (only) content.users = main.users.front().get();
    if (content.users != nullptr) return true;
    return fail_at(cf, where,
                   content.users_name.empty()
                       ? quoted(content.directive) +
                             " does not say whose users; write users= with "
                             "one of the declared gate_users: " +
                             listed(names)
                       : quoted(content.directive) + " names unknown users " +
                             quoted(content.users_name) +
                             "; declared gate_users: " + listed(names));
}

bool complete_signing(const Directive& directive, LiveIssuer& live, const ClaimLines& claims) {
    if (!check_types(directive, live.issuer)) return false;
    if (!live.issuer.signing) {
        return claims.empty() ||
               fail_block(directive,
                          "has a \"claim\" but makes no tokens; write \"sign access=1h;\" too");
    }
    if (!check_acceptance(directive, live.issuer, claims)) return false;
    if (claims.empty()) return true;
    auto compiled = compile(claims);
    if (!compiled) {
        return fail_block(directive,
                          "has \"claim\" lines that cannot be used: " + compiled.error());
    }
    live.claims = std::make_shared<const policy::ReplyTemplate>(std::move(*compiled));
    return true;
}

}  // namespace gate::nginx
