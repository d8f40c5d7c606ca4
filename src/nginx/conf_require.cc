#include <algorithm>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

using policy::ClaimOperator;
using policy::Requirement;
using policy::RequirementKind;

constexpr const char* kOperators =
    "eq ne lt le gt ge in any all match exists, each also with \"!\" before it";

// What one gate_require* line says, while it is read.
struct Line {
    Requirement requirement;
    std::vector<Template> values;
};

// RFC 9110 section 9.1: methods are case-sensitive, and all that nginx knows are upper-case.
bool take_methods(Directive& directive, std::string_view list, Requirement& requirement) {
    if (!requirement.methods.empty())
        return directive.fail("has methods= twice; join them by commas");
    for (std::string_view method : split(list, ',')) {
        const bool upper = std::all_of(method.begin(), method.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        });
        if (method.empty() || !upper) {
            return directive.fail("has the method " + quoted(method) +
                                  " in methods=; expected upper-case "
                                  "names joined by commas, such as methods=GET,POST");
        }
        requirement.methods.emplace_back(method);
    }
    return true;
}

bool take_status(Directive& directive, std::string_view text, Requirement& requirement) {
    const bool claim = requirement.kind == RequirementKind::kClaim;
    const ngx_int_t status =
        ngx_atoi(reinterpret_cast<u_char*>(const_cast<char*>(text.data())), text.size());
    if (claim ? status != 401 && status != 403 : status < 400 || status > 499) {
        return directive.unknown("error=" + std::string(text),
                                 claim ? "error=401 or error=403" : "error=400 to error=499");
    }
    requirement.status = static_cast<int>(status);
    return true;
}

bool add_value(Directive& directive, std::string_view text, Line& line) {
    Template value;
    if (text.empty()) return directive.fail("has an empty value, which nothing meets");
    if (const char* problem = value.compile(directive.cf(), text)) {
        return directive.fail("value " + quoted(text) + " " + problem);
    }
    line.values.push_back(std::move(value));
    return true;
}

// An argument of any line: methods= and error= where the kind has them, else a value.
bool take_argument(Directive& directive, std::string_view argument, Line& line) {
    const bool has_status = line.requirement.kind == RequirementKind::kClaim ||
                            line.requirement.kind == RequirementKind::kValue;
    if (const auto methods = option(argument, "methods")) {
        return take_methods(directive, *methods, line.requirement);
    }
    if (const auto status = option(argument, "error"); status && has_status) {
        return take_status(directive, *status, line.requirement);
    }
    return add_value(directive, argument, line);
}

void add_line(Directive& directive, LocConf& loc, Line line) {
    line.requirement.where = directive.where().text();
    RequireConf require;
    require.requirement = std::make_shared<const Requirement>(std::move(line.requirement));
    require.values = std::move(line.values);
    require.directive = directive.name();
    for (std::string_view value : directive.values()) {
        require.text += (require.text.empty() ? "" : " ") + std::string(value);
    }
    require.where = directive.where();
    loc.requires_.push_back(std::move(require));
}

// gate_require_scope and gate_require_role: [any|all] value .. [methods=]
bool set_names(Directive& directive, LocConf& loc, RequirementKind kind) {
    Line line;
    line.requirement.kind = kind;
    auto values = directive.values();
    const bool chosen = values[0] == "any" || values[0] == "all";
    line.requirement.all = values[0] == "all";
    if (chosen) values.erase(values.begin());
    for (std::string_view value : values) {
        if (value.find(' ') != std::string_view::npos) {
            return directive.fail("has the value " + quoted(value) +
                                  " with a blank, which none can match; write the values apart, "
                                  "after any or all");
        }
        if (!take_argument(directive, value, line)) return false;
    }
    if (line.values.empty()) return directive.fail("names nothing to ask for");
    if (line.values.size() > 1 && !chosen) {
        return directive.fail("has " + std::to_string(line.values.size()) +
                              " values; say before them whether any or all must be there");
    }
    add_line(directive, loc, std::move(line));
    return true;
}

bool take_pattern(Directive& directive, std::string_view expression, Requirement& requirement) {
    auto pattern = policy::Pattern::compile(expression);
    if (!pattern) {
        return directive.fail("cannot compile the expression " + quoted(expression) + ": " +
                              pattern.error());
    }
    requirement.pattern = std::move(*pattern);
    return true;
}

bool check_value_count(Directive& directive, ClaimOperator op, std::string_view name,
                       std::size_t count) {
    const bool none = op == ClaimOperator::kExists;
    const bool several =
        op == ClaimOperator::kIn || op == ClaimOperator::kAny || op == ClaimOperator::kAll;
    if (none ? count == 0 : several ? count >= 1 : count == 1) return true;
    return directive.fail("has " + std::to_string(count) + " values after " + quoted(name) +
                          "; expected " +
                          (none      ? "none"
                           : several ? "one or more"
                                     : "one"));
}

}  // namespace

bool set_gate_require_scope(Directive& directive, LocConf& loc) {
    return set_names(directive, loc, RequirementKind::kScope);
}

bool set_gate_require_role(Directive& directive, LocConf& loc) {
    return set_names(directive, loc, RequirementKind::kRole);
}

bool set_gate_require_claim(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    Line line;
    Requirement& requirement = line.requirement;
    requirement.kind = RequirementKind::kClaim;
    requirement.claim_path = values[0];
    std::string_view name = values[1];
    requirement.negated = name.starts_with('!');
    if (requirement.negated) name.remove_prefix(1);
    const auto op = policy::find_operator(name);
    if (!op) {
        return directive.fail("has an unknown operator " + quoted(values[1]) + "; expected " +
                              kOperators);
    }
    requirement.op = *op;
    std::size_t count = 0;
    for (std::size_t i = 2; i < values.size(); ++i) {
        const bool is_option = option(values[i], "methods") || option(values[i], "error");
        if (!is_option) ++count;
        // An expression is compiled once: its "$" is an anchor, never a variable.
        if (!is_option && *op == ClaimOperator::kMatch) {
            if (!take_pattern(directive, values[i], requirement)) return false;
        } else if (!take_argument(directive, values[i], line)) {
            return false;
        }
    }
    if (!check_value_count(directive, *op, values[1], count)) return false;
    add_line(directive, loc, std::move(line));
    return true;
}

bool set_gate_require(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    if (values.size() == 1 && values[0] == "off") {
        if (loc.drop_inherited_requires) return directive.duplicate();
        loc.drop_inherited_requires = true;
        return true;
    }
    Line line;
    line.requirement.kind = RequirementKind::kValue;
    line.requirement.all = true;
    for (std::string_view value : values) {
        if (value.find('$') == std::string_view::npos && !option(value, "methods") &&
            !option(value, "error")) {
            return directive.fail(
                "has the constant " + quoted(value) +
                "; expected a variable such as $name, or off alone. Scopes and roles "
                "have gate_require_scope and gate_require_role");
        }
        if (!take_argument(directive, value, line)) return false;
    }
    if (line.values.empty()) return directive.fail("names no variable");
    add_line(directive, loc, std::move(line));
    return true;
}

}  // namespace gate::nginx
