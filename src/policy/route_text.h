// The table of routes for programs and for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/route_table.h"

namespace gate::policy {

// A place in the configuration, "file:line", for people: files below the directory of the main file
// lose it.
std::string shortened(const std::string& where, std::string_view main_file);

// Whether a request without a credential may pass.
bool is_open(const Route& route);

// {"routes":[{"server":[..],"location":..,"methods":[..],..}]}
std::string routes_as_json(const std::vector<Route>& routes);

// One row for people: server, location, methods, what is accepted, what is required, file and line.
struct RouteCells {
    std::string server, location, methods, accepted, required, where;
};
RouteCells cells_of(const Route& route, std::string_view main_file);

std::string routes_as_html(const std::vector<Route>& routes, std::string_view main_file);

}  // namespace gate::policy
