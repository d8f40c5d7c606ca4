#include "policy/route_text.h"

#include <algorithm>

#include "base/html_text.h"
#include "base/json_object.h"
#include "base/text_list.h"
#include "policy/page.h"

namespace gate::policy {

namespace {

std::string server_of(const Route& route) {
    return joined(route.server_names.empty() ? route.listens : route.server_names, " ");
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

std::string accepted_of(const Route& route) {
    if (route.is_public) return "public";
    std::string text = route.refused ? "refused" : joined(route.accepts, " ");
    if (route.optional && route.required.empty() && !route.refused) text += ", or nobody";
    if (route.satisfy_any) text += ", or another module (satisfy any)";
    if (route.dry_run) text += " (dry run: refuses nobody)";
    return text;
}

std::string required_of(const Route& route, std::string_view main_file) {
    constexpr std::string_view kPrefix = "gate_require_";
    std::vector<std::string> lines;
    for (const RouteLine& line : route.required) {
        const bool named = line.directive.starts_with(kPrefix);
        const std::string what = named ? line.directive.substr(kPrefix.size()) + " " : "";
        lines.push_back(what + line.text + " [" + shortened(line.where, main_file) + "]");
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

std::string html_of(const Route& route, std::string_view main_file) {
    const RouteCells cells = cells_of(route, main_file);
    const auto cell = [](std::string_view name, const std::string& text) {
        return "<td data-name=\"" + std::string(name) + "\">" + html_escaped(text) + "</td>";
    };
    const std::string accepted =
        is_open(route) ? "<td data-name=\"accepted\"><strong class=\"warn\">open</strong> " +
                             html_escaped(cells.accepted) + "</td>"
                       : cell("accepted", cells.accepted);
    return "<tr>" + cell("server", cells.server) + "<td data-name=\"location\"><code>" +
           breakable_path(cells.location) + "</code></td>" + cell("methods", cells.methods) +
           accepted + cell("required", cells.required) + "<td data-name=\"where\"><small>" +
           breakable_path(cells.where) + "</small></td></tr>\n";
}

}  // namespace

std::string shortened(const std::string& where, std::string_view main_file) {
    const std::string_view directory = main_file.substr(0, main_file.rfind('/') + 1);
    return where.starts_with(directory) ? where.substr(directory.size()) : where;
}

bool is_open(const Route& route) {
    if (route.is_public || route.dry_run) return true;
    return route.satisfy_any || (!route.refused && route.optional && route.required.empty());
}

RouteCells cells_of(const Route& route, std::string_view main_file) {
    return {server_of(route),
            location_of(route),
            methods_of(route),
            accepted_of(route),
            required_of(route, main_file),
            shortened(route.where, main_file)};
}

std::string routes_as_json(const std::vector<Route>& routes) {
    std::vector<std::string> elements;
    for (const Route& route : routes) elements.push_back(json_of(route));
    return JsonObject().raw("routes", json_array(elements)).str() + "\n";
}

std::string routes_as_html(const std::vector<Route>& routes, std::string_view main_file) {
    const auto open = std::ranges::count_if(routes, is_open);
    std::string body = "<h1>Routes</h1>\n<p>" + std::to_string(routes.size()) +
                       " routes of the running configuration, " + std::to_string(open) +
                       " of them open: a request without a credential may pass.</p>\n";
    body +=
        "<div class=\"table\"><table>\n<thead><tr><th>Server</th><th>Location</th>"
        "<th>Methods</th><th>Accepted</th><th>Required</th><th>Where</th></tr></thead>\n<tbody>\n";
    for (const Route& route : routes) body += html_of(route, main_file);
    return html_page("Routes", body + "</tbody>\n</table></div>\n");
}

}  // namespace gate::policy
