#include "nginx/template.h"

#include "base/ascii.h"
#include "nginx/bridge.h"
#include "nginx/directive.h"
#include "policy/scope.h"

namespace gate::nginx {

namespace {

// The variable name that follows a '$' at the front of `rest`, which it leaves behind the name.
std::string_view take_name(std::string_view& rest) noexcept {
    const bool braced = rest.starts_with('{');
    if (braced) rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && is_word(rest[end])) ++end;
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (braced) {
        if (!rest.starts_with('}')) return {};
        rest.remove_prefix(1);
    }
    return name;
}

}  // namespace

const char* Template::compile(ngx_conf_t* cf, std::string_view text) {
    text_ = text;
    parts_.clear();
    dynamic_ = false;
    while (!text.empty()) {
        const std::size_t dollar = text.find('$');
        if (dollar != 0) {
            parts_.push_back({std::string(text.substr(0, dollar)), -1});
            if (dollar == std::string_view::npos) break;
        }
        text.remove_prefix(dollar + 1);
        const std::string_view name = take_name(text);
        if (name.empty()) return "has a \"$\" that no variable's name follows";
        if (name[0] >= '0' && name[0] <= '9') {
            return "has a numbered capture, which any later regular expression overwrites; "
                   "use a named one: (?<name>..)";
        }
        ngx_str_t lower = str(copy(cf->pool, ascii_lower(name)));
        const ngx_int_t index = ngx_http_get_variable_index(cf, &lower);
        if (index == NGX_ERROR) return "has a variable that nginx cannot provide";
        parts_.push_back({{}, index});
        dynamic_ = true;
    }
    return nullptr;
}

policy::RuleValue Template::evaluate(ngx_http_request_t* r) const {
    return join(r, [](std::string_view part) { return policy::is_safe_variable_part(part); });
}

policy::RuleValue Template::evaluate_octets(ngx_http_request_t* r) const {
    return join(r, [](std::string_view part) { return !part.empty(); });
}

policy::RuleValue Template::join(ngx_http_request_t* r, bool (*good)(std::string_view)) const {
    if (!dynamic_) return {text_, true};
    std::string joined;
    for (const Part& part : parts_) {
        if (part.variable < 0) {
            joined += part.literal;
            continue;
        }
        const ngx_http_variable_value_t* value =
            ngx_http_get_flushed_variable(r, static_cast<ngx_uint_t>(part.variable));
        if (value == nullptr || value->not_found) return {{}, false};
        const std::string_view text{reinterpret_cast<const char*>(value->data), value->len};
        if (!good(text)) return {{}, false};
        // The usual form, one variable alone, needs no copy: its value lives with the request.
        if (parts_.size() == 1) return {text, true};
        joined += text;
    }
    return {copy(r->pool, joined), true};
}

}  // namespace gate::nginx
