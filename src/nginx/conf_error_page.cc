#include <set>

#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

bool is_regex(const ngx_http_core_loc_conf_t& core) {
#if (NGX_PCRE)
    return core.regex != nullptr;
#else
    return false;
#endif
}

bool regex_matches([[maybe_unused]] const ngx_http_core_loc_conf_t& core,
                   [[maybe_unused]] std::string_view uri) {
#if (NGX_PCRE)
    ngx_str_t text = str(uri);
    return ngx_regex_exec(core.regex->regex, &text, nullptr, 0) >= 0;
#else
    return false;
#endif
}

bool is_prefix_location(const Level& level) {
    return !level.core->noname && !level.core->named && !is_regex(*level.core) &&
           level.core->name.len > 0;
}

// The level that nginx chooses for a path or a named location of a server; its own level where no
// location fits. Regular expressions inside of other locations are left out: they are rare, and
// what this is for is a warning.
const Level* find_level(const MainConf& main, const ngx_http_core_srv_conf_t* server,
                        std::string_view uri) {
    const Level* best = nullptr;
    const Level* regex = nullptr;
    const Level* top = nullptr;
    for (const Level& level : main.levels) {
        if (level.server != server) continue;
        if (top == nullptr) top = &level;
        const std::string_view name = view(level.core->name);
        if (level.core->named && name == uri) return &level;
        if (is_regex(*level.core) && regex == nullptr && level.parent == top->conf &&
            regex_matches(*level.core, uri)) {
            regex = &level;
        }
        if (!is_prefix_location(level)) continue;
        if (level.core->exact_match) {
            if (name == uri) return &level;
        } else if (uri.starts_with(name) &&
                   (best == nullptr || name.size() > best->core->name.len)) {
            best = &level;
        }
    }
    if (regex != nullptr && (best == nullptr || !best->core->noregex)) return regex;
    return best != nullptr ? best : top;
}

}  // namespace

void warn_of_error_pages(ngx_conf_t* cf, const MainConf& main) {
    std::set<std::pair<const void*, std::string_view>> seen;
    for (const Level& level : main.levels) {
        if (level.core->error_pages == nullptr) continue;
        const auto* pages = static_cast<ngx_http_err_page_t*>(level.core->error_pages->elts);
        for (ngx_uint_t i = 0; i < level.core->error_pages->nelts; ++i) {
            const std::string_view uri = view(pages[i].value.value);
            const bool local = uri.starts_with('/') || uri.starts_with('@');
            if (pages[i].value.lengths != nullptr || !local) continue;
            if (!seen.emplace(level.server, uri).second) continue;
            const Level* target = find_level(main, level.server, uri);
            if (target == nullptr || !target->conf->gate->on || target->conf->gate->optional)
                continue;
            const std::string place =
                target->conf->name.empty() ? "server" : quoted(target->conf->name);
            warn_at(cf, level.conf->where.text(),
                    "\"error_page\" leads to " + quoted(uri) + " behind the gate of " + place +
                        ", so a refused request is refused there again; give it a location with "
                        "\"gate off;\"");
        }
    }
}

}  // namespace gate::nginx
