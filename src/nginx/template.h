// A directive's value with variables, kept in parts so that what a client supplied can be judged
// apart from what the operator wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nginx/ngx.h"
#include "policy/requirement.h"

namespace gate::nginx {

class Template {
public:
    // Parses `text`: "$name", "${name}" and literals. Returns nullptr, or the message of an error:
    // an unknown form, or a numbered capture (a later regex of the request would overwrite it).
    const char* compile(ngx_conf_t* cf, std::string_view text);

    // The value for this request, allocated in its pool where it is put together. `valid` is false
    // when a variable's part is empty or holds '*' or ':'.
    policy::RuleValue evaluate(ngx_http_request_t* r) const;
    // The same with any octets; `valid` is false when a variable's part is empty.
    policy::RuleValue evaluate_octets(ngx_http_request_t* r) const;

private:
    policy::RuleValue join(ngx_http_request_t* r, bool (*good)(std::string_view)) const;

    struct Part {
        std::string literal;
        ngx_int_t variable = -1;
    };
    std::string text_;
    std::vector<Part> parts_;
    bool dynamic_ = false;
};

}  // namespace gate::nginx
