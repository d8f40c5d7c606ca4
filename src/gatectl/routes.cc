// gatectl routes.
#include <algorithm>
#include <array>

#include "gatectl/configuration.h"
#include "gatectl/output.h"
#include "policy/route_text.h"

namespace gate::ctl {

namespace {

int run_routes(const Arguments& arguments, Io& io) {
    const auto dump = read_configuration(arguments);
    if (!dump) return refuse(io, dump.error());
    auto routes = policy::routes_of(dump->root());
    if (arguments.has("public")) {
        std::erase_if(routes, [](const policy::Route& route) { return !policy::is_open(route); });
    }
    if (arguments.has("json")) {
        io.out << policy::routes_as_json(routes);
        return kDone;
    }
    const std::string_view main_file = dump->root().member("file").string().value_or("");
    Table table({"SERVER", "LOCATION", "METHODS", "ACCEPTED", "REQUIRED", "WHERE"});
    for (const policy::Route& route : routes) {
        const policy::RouteCells cells = policy::cells_of(route, main_file);
        table.add({cells.server, cells.location, cells.methods, cells.accepted, cells.required,
                   cells.where});
    }
    io.out << table.str();
    return kDone;
}

constexpr std::array kOptions{kConfOption, kPrefixOption, kNginxOption,
                              Option{"public", "", "only what lets anybody in, or may"},
                              Option{"json", "", "print JSON"}};

constexpr std::array<Command, 1> kCommands{{
    {"routes", "", "Show what every location accepts and requires, with file and line",
     "Runs nginx -t on the configuration, which tells what is in force after merging. Needs the\n"
     "right to read all that nginx reads.",
     kOptions, 0, 0, run_routes},
}};

}  // namespace

std::span<const Command> route_commands() {
    return kCommands;
}

}  // namespace gate::ctl
