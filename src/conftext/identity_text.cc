#include "conftext/identity_text.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace gate::conftext {

namespace {

constexpr unsigned kMaxDefinitionDepth = 8;

// Each of them differs from caller to caller, or is what the operator chose to share answers by.
constexpr std::array<std::string_view, 9> kIdentityPrefixes = {
    "gate_subject",  "gate_client", "gate_key_id", "gate_key_name", "gate_claim",
    "gate_token_id", "gate_role",   "gate_scopes", "gate_group"};

bool holds_credential(const std::string& name) {
    return name == "http_authorization" || name == "http_x_api_key" || name == "http_cookie" ||
           name.starts_with("cookie_");
}

}  // namespace

std::vector<std::string> variables_in(std::string_view value) {
    std::vector<std::string> names;
    for (std::size_t i = value.find('$'); i != std::string_view::npos; i = value.find('$', i)) {
        ++i;
        if (i < value.size() && value[i] == '{') ++i;
        const std::size_t begin = i;
        while (i < value.size() && is_word(value[i])) ++i;
        if (i > begin) names.push_back(ascii_lower(value.substr(begin, i - begin)));
    }
    return names;
}

void IdentityVariables::learn(const std::vector<Node>& nodes) {
    for (const Node& node : nodes) {
        const bool two = node.args.size() >= 2;
        if (two && node.name == "map") {
            std::string from = node.args[0];
            for (const Node& entry : node.children) {
                for (const std::string& arg : entry.args) from += " " + arg;
            }
            definitions_.push_back({ascii_lower(node.args[1]), std::move(from)});
        } else if (two && node.name == "set") {
            definitions_.push_back({ascii_lower(node.args[0]), node.args[1]});
        } else if (two && node.name == "gate_claim") {
            definitions_.push_back({ascii_lower(node.args[0]), "$gate_claim_"});
        }
        learn(node.children);
    }
}

bool IdentityVariables::in(std::string_view value, const Level& level) const {
    const std::vector<std::string> names = variables_in(value);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return is_identity(name, level, kMaxDefinitionDepth);
    });
}

bool IdentityVariables::is_identity(const std::string& name, const Level& level,
                                    unsigned depth) const {
    const auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
    if (std::any_of(kIdentityPrefixes.begin(), kIdentityPrefixes.end(), begins)) return true;
    if (holds_credential(name) && !level.strip) return true;
    if (depth == 0) return false;
    return std::any_of(definitions_.begin(), definitions_.end(), [&](const Definition& definition) {
        if (definition.name != "$" + name) return false;
        const std::vector<std::string> parts = variables_in(definition.from);
        return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
            return is_identity(part, level, depth - 1);
        });
    });
}

}  // namespace gate::conftext
