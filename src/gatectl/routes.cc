// gatectl routes.
#include <algorithm>
#include <array>

#include "gatectl/configuration.h"
#include "gatectl/output.h"
#include "gatectl/route_table.h"

namespace gate::ctl {

namespace {

// File names below the main file's directory lose it.
class Shortener {
public:
    explicit Shortener(std::string_view main_file)
        : directory_(main_file.substr(0, main_file.rfind('/') + 1)) {}
    std::string operator()(const std::string& where) const {
        return where.starts_with(directory_) ? where.substr(directory_.size()) : where;
    }

private:
    std::string directory_;
};

std::string server_of(const Route& route) {
    if (!route.server_names.empty()) return joined(route.server_names, " ");
    return joined(route.listens, " ");
}

std::string location_of(const Route& route) {
    constexpr std::string_view kWord = "location ";
    std::string text = route.location;
    if (route.kind == "server") text = "(anything else)";
    if (text.starts_with(kWord)) text.erase(0, kWord.size());
    return text + (route.internal ? " (internal)" : "");
}

std::string methods_of(const Route& route) {
    if (route.others) return "others";
    if (!route.but.empty()) return "all but " + joined(route.but, " ");
    return joined(route.methods, " ", "all");
}

// Whether a request without a credential may pass.
bool is_open(const Route& route) {
    if (route.is_public || route.dry_run) return true;
    return route.satisfy_any || (!route.refused && route.optional && route.required.empty());
}

std::string accepted_of(const Route& route) {
    if (route.is_public) return "public";
    std::string text = route.refused ? "refused" : joined(route.accepts, " ");
    if (route.optional && route.required.empty() && !route.refused) text += ", or nobody";
    if (route.satisfy_any) text += ", or another module (satisfy any)";
    if (route.dry_run) text += " (dry run: refuses nobody)";
    return text;
}

std::string required_of(const Route& route, const Shortener& shorten) {
    constexpr std::string_view kPrefix = "gate_require_";
    std::vector<std::string> lines;
    for (const RouteLine& line : route.required) {
        const bool named = line.directive.starts_with(kPrefix);
        const std::string what = named ? line.directive.substr(kPrefix.size()) + " " : "";
        lines.push_back(what + line.text + " [" + shorten(line.where) + "]");
    }
    return joined(lines, "; ");
}

std::string json_of(const Route& route) {
    std::vector<std::string> required;
    for (const RouteLine& line : route.required) {
        JsonObject object;
        object.text("directive", line.directive).text("text", line.text);
        required.push_back(object.text("where", line.where).str());
    }
    JsonObject object;
    object.texts("server", route.server_names).texts("listen", route.listens);
    object.text("location", route.location).text("kind", route.kind);
    object.texts("methods", route.methods).texts("but", route.but);
    object.boolean("other_methods", route.others).boolean("refused", route.refused);
    object.boolean("public", route.is_public).texts("accepts", route.accepts);
    object.boolean("optional", route.optional).boolean("dry_run", route.dry_run);
    object.boolean("satisfy_any", route.satisfy_any)
        .boolean("internal", route.internal)
        .boolean("open", is_open(route));
    return object.raw("required", json_array(required)).text("where", route.where).str();
}

int run_routes(const Arguments& arguments, Io& io) {
    const auto dump = read_configuration(arguments);
    if (!dump) return refuse(io, dump.error());
    auto routes = routes_of(dump->root());
    if (arguments.has("public")) {
        std::erase_if(routes, [](const Route& route) { return !is_open(route); });
    }
    if (arguments.has("json")) {
        std::vector<std::string> elements;
        for (const Route& route : routes) elements.push_back(json_of(route));
        io.out << JsonObject().raw("routes", json_array(elements)).str() << '\n';
        return kDone;
    }
    const Shortener shorten(dump->root().member("file").string().value_or(""));
    Table table({"SERVER", "LOCATION", "METHODS", "ACCEPTED", "REQUIRED", "WHERE"});
    for (const Route& route : routes) {
        table.add({server_of(route), location_of(route), methods_of(route), accepted_of(route),
                   required_of(route, shorten), shorten(route.where)});
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
