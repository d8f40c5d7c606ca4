#include <algorithm>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

bool set_option(Directive& directive, std::string_view value, http::CookieSettings& settings) {
    if (const auto path = option(value, "path")) {
        settings.path = *path;
    } else if (const auto domain = option(value, "domain")) {
        settings.domain = *domain;
    } else if (const auto same_site = option(value, "samesite")) {
        const auto found = http::find_same_site(*same_site);
        if (!found)
            return directive.unknown(value, "samesite=lax, samesite=strict or samesite=none");
        settings.same_site = *found;
    } else if (const auto secure = option(value, "secure")) {
        if (*secure != "on" && *secure != "off") {
            return directive.unknown(value, "secure=on or secure=off");
        }
        settings.secure = *secure == "on";
    } else {
        return directive.unknown(value, "path=, domain=, samesite= or secure=");
    }
    return true;
}

}  // namespace

// gate_cookie access|refresh name [path=] [domain=] [samesite=] [secure=]
bool set_gate_cookie(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    if (values.size() == 1 && values[0] == "off") {
        if (loc.cookies.set()) return directive.fail("says off beside another such line");
        loc.cookies = std::vector<TokenCookie>();
        return true;
    }
    if (values.size() < 2 || (values[0] != "access" && values[0] != "refresh")) {
        return directive.unknown(values[0], "access NAME, refresh NAME, or off alone");
    }
    TokenCookie cookie;
    cookie.refresh = values[0] == "refresh";
    cookie.settings.name = values[1];
    for (std::size_t i = 2; i < values.size(); ++i) {
        if (!set_option(directive, values[i], cookie.settings)) return false;
    }
    if (const std::string problem = http::cookie_problem(cookie.settings); !problem.empty()) {
        return directive.fail("cannot set the cookie " + quoted(values[1]) + ": " + problem);
    }
    std::vector<TokenCookie> cookies;
    if (loc.cookies.set()) cookies = *loc.cookies;
    if (loc.cookies.set() && cookies.empty()) {
        return directive.fail("stands beside \"gate_cookie off\"");
    }
    const auto clashes = [&cookie](const TokenCookie& other) {
        return other.refresh == cookie.refresh || other.settings.name == cookie.settings.name;
    };
    if (std::ranges::any_of(cookies, clashes)) {
        return directive.fail("has a cookie for " + std::string(values[0]) +
                              " twice, or one name for both tokens");
    }
    cookies.push_back(std::move(cookie));
    loc.cookies = std::move(cookies);
    return true;
}

}  // namespace gate::nginx
