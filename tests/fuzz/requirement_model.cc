#include "tests/fuzz/requirement_model.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace gate::fuzz {

namespace {

enum class Maybe { kNo, kYes, kCannotSay };

Maybe maybe(bool value) {
    return value ? Maybe::kYes : Maybe::kNo;
}

std::optional<long double> number(const std::string& text) {
    const std::size_t start = text.starts_with("-") ? 1 : 0;
    if (text.size() == start || text[start] < '0' || text[start] > '9') return std::nullopt;
    if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
    char* end = nullptr;
    errno = 0;
    const long double value = std::strtold(text.c_str(), &end);
    if (errno != 0 || *end != '\0') return std::nullopt;
    return value;
}

// -1, 0, 1, or nothing where the two are of different kinds.
std::optional<int> compare(const json_t* claim, const ModelValue& value) {
    if (!value.valid) return std::nullopt;
    if (json_is_string(claim)) {
        const std::string text(json_string_value(claim), json_string_length(claim));
        return text < value.text ? -1 : text == value.text ? 0 : 1;
    }
    if (!json_is_number(claim)) return std::nullopt;
    const auto other = number(value.text);
    if (!other) return std::nullopt;
    const long double own = json_is_integer(claim)
                                ? static_cast<long double>(json_integer_value(claim))
                                : static_cast<long double>(json_real_value(claim));
    return own < *other ? -1 : own == *other ? 0 : 1;
}

Maybe equal(const json_t* claim, const ModelValue& value) {
    if (json_is_boolean(claim)) {
        if (!value.valid || (value.text != "true" && value.text != "false"))
            return Maybe::kCannotSay;
        return maybe(json_is_true(claim) == (value.text == "true"));
    }
    const auto order = compare(claim, value);
    return order ? maybe(*order == 0) : Maybe::kCannotSay;
}

// One of several: a yes wins, then doubt.
Maybe one_of(const std::vector<Maybe>& verdicts) {
    if (std::ranges::count(verdicts, Maybe::kYes) != 0) return Maybe::kYes;
    return std::ranges::count(verdicts, Maybe::kCannotSay) != 0 ? Maybe::kCannotSay : Maybe::kNo;
}

Maybe contains(const json_t* claim, const ModelValue& value) {
    if (json_is_string(claim)) return equal(claim, value);
    if (!json_is_array(claim) || !value.valid) return Maybe::kCannotSay;
    std::vector<Maybe> verdicts;
    for (std::size_t i = 0; i < json_array_size(claim); ++i)
        verdicts.push_back(equal(json_array_get(claim, i), value));
    return one_of(verdicts);
}

Maybe set_operation(const json_t* claim, const ModelLine& line) {
    std::vector<Maybe> verdicts;
    for (const ModelValue& value : line.values) {
        verdicts.push_back(line.op == "in" ? equal(claim, value) : contains(claim, value));
    }
    if (line.op != "all") return one_of(verdicts);
    if (std::ranges::count(verdicts, Maybe::kNo) != 0) return Maybe::kNo;
    return std::ranges::count(verdicts, Maybe::kCannotSay) != 0 ? Maybe::kCannotSay : Maybe::kYes;
}

Maybe claim_holds(const json_t* claim, const ModelLine& line) {
    if (line.op == "exists") {
        if (json_is_null(claim)) return Maybe::kCannotSay;
        return maybe(claim != nullptr);
    }
    if (line.op == "match") {
        if (!json_is_string(claim) || json_string_length(claim) > 4096) return Maybe::kCannotSay;
        const std::string text(json_string_value(claim), json_string_length(claim));
        return maybe(text.find(line.values.front().text) != std::string::npos);
    }
    if (line.values.empty() || claim == nullptr) return Maybe::kCannotSay;
    if (line.op == "in" || line.op == "any" || line.op == "all") return set_operation(claim, line);
    const ModelValue& value = line.values.front();
    if (line.op == "eq") return equal(claim, value);
    if (line.op == "ne") {
        const Maybe same = equal(claim, value);
        return same == Maybe::kCannotSay ? same : maybe(same == Maybe::kNo);
    }
    const auto order = compare(claim, value);
    if (!order) return Maybe::kCannotSay;
    if (line.op == "lt") return maybe(*order < 0);
    if (line.op == "le") return maybe(*order <= 0);
    if (line.op == "gt") return maybe(*order > 0);
    return maybe(*order >= 0);
}

const json_t* member(const json_t* object, const std::string& name) {
    return json_object_getn(object, name.data(), name.size());
}

const json_t* find_claim(const json_t* claims, const std::string& path) {
    if (const json_t* whole = member(claims, path)) return whole;
    const json_t* here = claims;
    for (const std::string& part : words(path, '.')) here = member(here, part);
    return here;
}

bool has_scope(const ModelPrincipal& who, const std::string& scope) {
    if (scope.empty()) return false;
    for (const std::string& own : who.scopes) {
        if (who.patterns ? model_scope_matches(own, scope) : own == scope) return true;
    }
    for (const std::string& role : who.roles) {
        for (const std::string& included : model_closure(who, role)) {
            const auto found = who.role_map.find(included);
            if (found == who.role_map.end()) continue;
            for (const std::string& item : found->second) {
                if (!who.role_map.contains(item) && model_scope_matches(item, scope)) return true;
            }
        }
    }
    return false;
}

bool has_role(const ModelPrincipal& who, const std::string& role) {
    return !role.empty() && std::ranges::any_of(who.roles, [&](const std::string& own) {
        return model_closure(who, own).contains(role);
    });
}

template <class Has>
bool enough(const ModelLine& line, Has has) {
    std::size_t met = 0;
    for (const ModelValue& value : line.values) met += value.valid && has(value.text) ? 1 : 0;
    return line.all ? met == line.values.size() && met > 0 : met > 0;
}

Reason judge_line(const ModelPrincipal& who, const ModelLine& line) {
    if (line.kind == "scope") {
        return enough(line, [&](const std::string& scope) { return has_scope(who, scope); })
                   ? Reason::kNone
                   : Reason::kScopeMissing;
    }
    if (line.kind == "role") {
        return enough(line, [&](const std::string& role) { return has_role(who, role); })
                   ? Reason::kNone
                   : Reason::kRoleMissing;
    }
    if (line.kind == "value") {
        bool met = !line.values.empty();
        for (const ModelValue& value : line.values)
            met = met && !value.text.empty() && value.text != "0";
        return met ? Reason::kNone : Reason::kValueUnmet;
    }
    if (line.op == "match" &&
        (line.values.empty() ||
         line.values.front().text.find_first_of("\\^$.|?*+()[]{}") != std::string::npos)) {
        return Reason::kInternal;
    }
    const Maybe verdict = claim_holds(find_claim(who.claims, line.path), line);
    return verdict == (line.negated ? Maybe::kNo : Maybe::kYes) ? Reason::kNone
                                                                : Reason::kClaimUnmet;
}

bool names(const ModelLine& line, const std::string& method) {
    return std::ranges::count(line.methods, method) != 0 ||
           (method == "HEAD" && std::ranges::count(line.methods, "GET") != 0);
}

}  // namespace

std::vector<std::string> words(std::string_view text, char separator) {
    std::vector<std::string> out(1);
    for (const char c : text) {
        if (c == separator) {
            out.emplace_back();
        } else {
            out.back() += c;
        }
    }
    return out;
}

bool model_scope_matches(const std::string& pattern, const std::string& scope) {
    if (scope.empty()) return false;
    if (scope.find('*') != std::string::npos) return pattern == scope;
    const auto wanted = words(pattern, ':');
    const auto given = words(scope, ':');
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (i >= given.size()) return false;
        if (wanted[i] != "*") {
            if (wanted[i] != given[i]) return false;
            continue;
        }
        const bool last = i + 1 == wanted.size();
        const std::size_t end = last ? given.size() : i + 1;
        for (std::size_t k = i; k < end; ++k) {
            if (given[k].empty()) return false;
        }
        if (last) return true;
    }
    return wanted.size() == given.size();
}

std::set<std::string> model_closure(const ModelPrincipal& who, const std::string& role) {
    std::set<std::string> seen{role};
    std::vector<std::string> open{role};
    while (!open.empty()) {
        const auto found = who.role_map.find(open.back());
        open.pop_back();
        if (found == who.role_map.end()) continue;
        for (const std::string& item : found->second) {
            if (who.role_map.contains(item) && seen.insert(item).second) open.push_back(item);
        }
    }
    return seen;
}

Reason model_judge(const ModelPrincipal& who, const std::vector<ModelLine>& lines,
                   const std::string& method) {
    bool any_methods = false;
    bool covered = false;
    for (const ModelLine& line : lines) {
        any_methods = any_methods || !line.methods.empty();
        covered = covered || names(line, method);
    }
    if (any_methods && !covered) return Reason::kMethodNotCovered;
    for (const ModelLine& line : lines) {
        if (!line.methods.empty() && !names(line, method)) continue;
        const Reason reason = judge_line(who, line);
        if (reason != Reason::kNone) return reason;
    }
    return Reason::kNone;
}

}  // namespace gate::fuzz
