// Requirements against the model in requirement_model.h. Lines:
//   claims of the token (JSON)       scopes, then roles (words)
//   role map                         method; a '+' before it: scopes are patterns (API key)
// and then one requirement a line:
//   scope|role any|all METHODS value ..      (METHODS: "-" or GET,POST)
//   claim PATH [!]op value ..                value value ..
// A value that begins with '?' came from a variable and is unsafe.
#include <algorithm>
#include <optional>

#include "jose/json.h"
#include "policy/requirement.h"
#include "policy/roles.h"
#include "policy/scope.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/requirement_model.h"

namespace {

using namespace gate;
using fuzz::ModelLine;
using fuzz::words;
using policy::Requirement;
using policy::RequirementKind;

constexpr std::size_t kMaxLines = 8;

std::optional<ModelLine> read_line(std::string_view text) {
    const auto parts = words(text);
    ModelLine line;
    line.kind = parts[0];
    std::size_t next = 1;
    if (line.kind == "scope" || line.kind == "role") {
        if (parts.size() < 3) return std::nullopt;
        line.all = parts[1] == "all";
        if (parts[2] != "-") line.methods = words(parts[2], ',');
        next = 3;
    } else if (line.kind == "claim") {
        if (parts.size() < 3) return std::nullopt;
        line.path = parts[1];
        line.negated = parts[2].starts_with('!');
        line.op = parts[2].substr(line.negated ? 1 : 0);
        next = 3;
    } else if (line.kind != "value") {
        return std::nullopt;
    }
    for (; next < parts.size(); ++next) {
        const bool valid = !parts[next].starts_with('?');
        line.values.push_back({parts[next].substr(valid ? 0 : 1), valid});
    }
    return line;
}

// The same line for the code under test; nothing where nginx -t would refuse it.
std::optional<Requirement> requirement_of(const ModelLine& line) {
    Requirement out;
    out.kind = line.kind == "scope"   ? RequirementKind::kScope
               : line.kind == "role"  ? RequirementKind::kRole
               : line.kind == "claim" ? RequirementKind::kClaim
                                      : RequirementKind::kValue;
    out.all = line.all;
    out.negated = line.negated;
    out.methods = line.methods;
    out.claim_path = line.path;
    out.where = "nginx.conf:1";
    if (out.kind != RequirementKind::kClaim) return out;
    const auto op = policy::find_operator(line.op);
    if (!op) return std::nullopt;
    out.op = *op;
    if (*op != policy::ClaimOperator::kMatch) return out;
    if (line.values.empty()) return std::nullopt;
    auto pattern = policy::Pattern::compile(line.values.front().text);
    if (!pattern) return std::nullopt;
    out.pattern = *std::move(pattern);
    return out;
}

// Role lines as the map's parser sees them, read again here: no comments, no quotes.
void read_role_map(std::string_view text, fuzz::ModelPrincipal& model) {
    for (const std::string& declaration : words(text, ';')) {
        std::vector<std::string> parts;
        for (const std::string& word : words(declaration)) {
            if (!word.empty()) parts.push_back(word);
        }
        if (parts.empty()) continue;
        model.role_map[parts[0]] = {parts.begin() + 1, parts.end()};
    }
}

struct Case {
    policy::Principal principal;
    fuzz::ModelPrincipal model;
    std::vector<ModelLine> model_lines;
    std::vector<Requirement> requirements;
    std::vector<std::vector<policy::RuleValue>> values;
    std::string method;
    std::vector<std::string> scopes, roles;
};

bool read_case(fuzz::Input& input, Case& out) {
    auto claims = jose::Document::parse(input.line());
    if (!claims) return false;
    out.principal.claims = *std::move(claims);
    out.scopes = words(input.line());
    out.roles = words(input.line());
    const std::string_view map_text = input.line();
    out.method = input.line();
    if (out.method.starts_with('+')) {
        out.model.patterns = out.principal.scopes_are_patterns = true;
        out.method.erase(0, 1);
    }
    if (!map_text.empty()) {
        auto map = policy::RoleMap::parse(map_text);
        if (!map) return !map.error().empty() && false;
        if (map_text.find_first_of("#\t\r\n") != std::string_view::npos) return false;
        out.principal.role_map = std::make_shared<const policy::RoleMap>(*std::move(map));
        read_role_map(map_text, out.model);
        GATE_INVARIANT(out.principal.role_map->names().size() == out.model.role_map.size());
    }
    out.principal.scopes.assign(out.scopes.begin(), out.scopes.end());
    out.principal.roles.assign(out.roles.begin(), out.roles.end());
    out.model.scopes = out.scopes;
    out.model.roles = out.roles;
    while (!input.empty() && out.model_lines.size() < kMaxLines) {
        auto line = read_line(input.line());
        if (!line) continue;
        auto requirement = requirement_of(*line);
        if (!requirement) continue;
        out.model_lines.push_back(*std::move(line));
        out.requirements.push_back(*std::move(requirement));
    }
    return true;
}

void check_case(Case& one, std::string_view claims_text) {
    std::vector<policy::RuleLine> lines;
    for (const ModelLine& line : one.model_lines) {
        auto& values = one.values.emplace_back();
        for (const auto& value : line.values) values.push_back({value.text, value.valid});
    }
    for (std::size_t i = 0; i < one.requirements.size(); ++i)
        lines.push_back({&one.requirements[i], one.values[i]});
    const policy::Rule rule{lines, one.method};

    one.model.claims = json_loadb(claims_text.data(), claims_text.size(), JSON_ALLOW_NUL, nullptr);
    const Reason expected = fuzz::model_judge(one.model, one.model_lines, one.method);
    json_decref(one.model.claims);
    const auto result = policy::authorize(&one.principal, rule);
    const Reason reason = result ? Reason::kNone : result.error().reason;
    if (expected != Reason::kInternal) {
        if (reason != expected)
            std::fprintf(stderr, "model: %s, code: %s\n", code(expected).data(),
                         code(reason).data());
        GATE_INVARIANT(reason == expected);
    }
    const auto anonymous = policy::authorize(nullptr, rule);
    GATE_INVARIANT(static_cast<bool>(anonymous) == lines.empty());
    if (result) return;
    GATE_INVARIANT(!result.error().where.empty());
    GATE_INVARIANT(result.error().scopes.find_first_of("\"\\") == std::string::npos);
    // A line that did not hold with a value does not hold with all values unsafe either.
    for (auto& values : one.values) {
        for (auto& value : values) value.valid = false;
    }
    const bool only_lists = std::ranges::all_of(one.model_lines, [](const ModelLine& line) {
        return line.kind == "scope" || line.kind == "role";
    });
    if (only_lists) GATE_INVARIANT(!policy::authorize(&one.principal, rule));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view claims_text = gate::fuzz::Input(data, size).line();
    Case one;
    if (read_case(input, one)) check_case(one, claims_text);
    const std::string text(claims_text);
    const auto joined = gate::policy::join_identity(one.principal.scopes, ',');
    if (joined) GATE_INVARIANT(gate::policy::is_safe_identity(*joined));
    for (const std::string& scope : one.scopes) {
        GATE_INVARIANT(gate::policy::scope_pattern_matches(text, scope) ==
                       gate::fuzz::model_scope_matches(text, scope));
        GATE_INVARIANT(!gate::policy::is_safe_variable_part(scope) ||
                       scope.find('*') == std::string::npos);
    }
    return 0;
}
