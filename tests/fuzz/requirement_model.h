// A second opinion on requirements: the rules of gate_require and gate_roles written again, slowly
// and without the code under test, on jansson values and plain vectors.
#pragma once

#include <jansson.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"

namespace gate::fuzz {

struct ModelValue {
    std::string text;
    bool valid = true;
};

struct ModelLine {
    std::string kind;  // scope, role, claim, value
    bool all = false;
    bool negated = false;
    std::vector<std::string> methods;
    std::string path;
    std::string op;
    std::vector<ModelValue> values;
};

struct ModelPrincipal {
    json_t* claims = nullptr;
    std::vector<std::string> scopes;
    std::vector<std::string> roles;
    std::map<std::string, std::vector<std::string>> role_map;  // empty: none
    bool patterns = false;
};

std::vector<std::string> words(std::string_view text, char separator = ' ');

bool model_scope_matches(const std::string& pattern, const std::string& scope);

// Roles that `role` includes, with itself.
std::set<std::string> model_closure(const ModelPrincipal& who, const std::string& role);

// The reason of the first line that does not hold, or kNone. kInternal where this model cannot say
// (a regular expression that is more than plain text).
Reason model_judge(const ModelPrincipal& who, const std::vector<ModelLine>& lines,
                   const std::string& method);

}  // namespace gate::fuzz
