// What each location accepts and requires, method by method, from the dump of a configuration.
#pragma once

#include <string>
#include <vector>

#include "jose/json.h"

namespace gate::policy {

struct RouteLine {
    std::string directive;
    std::string text;
    std::string where;
    bool operator==(const RouteLine&) const = default;
};

// One row: these methods of that location.
struct Route {
    std::vector<std::string> server_names;
    std::vector<std::string> listens;
    std::string location;  // "location /orders/"; "" is what no location of the server matches
    std::string kind;      // as the dump names it
    // Empty: every method, or every one that no other row of the location names.
    std::vector<std::string> methods;
    std::vector<std::string> but;  // not these
    bool others = false;           // the methods that no line names, where lines name some
    bool refused = false;          // every request is
    bool is_public = false;
    bool optional = false;
    bool dry_run = false;
    bool satisfy_any = false;
    bool internal = false;
    std::vector<std::string> accepts;  // "jwt=corp"
    std::vector<RouteLine> required;
    std::string where;
};

// Rows in the configuration's order. `if` blocks are left out: no directive of the gate may stand
// in one.
std::vector<Route> routes_of(jose::Value dump);

}  // namespace gate::policy
