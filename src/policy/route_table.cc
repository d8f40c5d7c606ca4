#include "policy/route_table.h"

#include <algorithm>
#include <string_view>

namespace gate::policy {

namespace {

using jose::Value;

std::string text_of(Value value) {
    return std::string(value.string().value_or(""));
}

std::vector<std::string> strings_of(Value list) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (const auto text = list.at(i).string()) texts.emplace_back(*text);
    }
    return texts;
}

bool is_true(Value value) {
    return value.boolean().value_or(false);
}

struct Line {
    RouteLine shown;
    std::vector<std::string> methods;
};

// Without "methods=": the row says them.
std::string without_methods(const std::string& text) {
    std::string kept;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find(' ', start), text.size());
        const std::string word = text.substr(start, end - start);
        if (!word.starts_with("methods=")) kept += (kept.empty() ? "" : " ") + word;
        start = end + 1;
    }
    return kept;
}

std::vector<Line> lines_of(Value requirements) {
    std::vector<Line> lines;
    for (std::size_t i = 0; i < requirements.size(); ++i) {
        const Value entry = requirements.at(i);
        Line line;
        line.shown = {text_of(entry.member("directive")),
                      without_methods(text_of(entry.member("text"))),
                      text_of(entry.member("where"))};
        line.methods = strings_of(entry.member("methods"));
        lines.push_back(std::move(line));
    }
    return lines;
}

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

// GET includes HEAD.
bool names_method(const Line& line, const std::string& method) {
    return contains(line.methods, method) || (method == "HEAD" && contains(line.methods, "GET"));
}

std::vector<RouteLine> required_by(const std::vector<Line>& lines, const std::string& method) {
    std::vector<RouteLine> required;
    for (const Line& line : lines) {
        if (line.methods.empty() || names_method(line, method)) required.push_back(line.shown);
    }
    return required;
}

// The methods that lines name, in their order.
std::vector<std::string> named_methods(const std::vector<Line>& lines) {
    std::vector<std::string> methods;
    for (const Line& line : lines) {
        for (const std::string& method : line.methods) {
            if (!contains(methods, method)) methods.push_back(method);
            if (method == "GET" && !contains(methods, "HEAD")) methods.emplace_back("HEAD");
        }
    }
    return methods;
}

// The rows of a gated location: methods with equal requirements share one.
void add_rows(std::vector<Route>& routes, const Route& base, const std::vector<Line>& lines,
              const std::vector<std::string>& only) {
    const auto named = named_methods(lines);
    if (named.empty()) {
        Route route = base;
        route.methods = only;
        route.required = required_by(lines, "");
        routes.push_back(std::move(route));
        return;
    }
    const std::size_t first = routes.size();
    for (const std::string& method : named) {
        if (contains(base.but, method) || (!only.empty() && !contains(only, method))) continue;
        const auto required = required_by(lines, method);
        const auto same =
            std::find_if(routes.begin() + static_cast<std::ptrdiff_t>(first), routes.end(),
                         [&](const Route& route) { return route.required == required; });
        if (same != routes.end()) {
            same->methods.push_back(method);
            continue;
        }
        Route route = base;
        route.but.clear();
        route.methods = {method};
        route.required = required;
        routes.push_back(std::move(route));
    }
    Route rest = base;
    rest.others = true;
    rest.refused = true;
    routes.push_back(std::move(rest));
}

std::vector<std::string> accepted_by(Value gate) {
    std::vector<std::string> accepted;
    const Value accepts = gate.member("accepts");
    for (std::size_t i = 0; i < accepts.size(); ++i) {
        std::string names;
        for (const std::string& name : strings_of(accepts.at(i).member("names"))) {
            names += (names.empty() ? "" : ",") + name;
        }
        accepted.push_back(text_of(accepts.at(i).member("kind")) + "=" + names);
    }
    return accepted;
}

void add_location(std::vector<Route>& routes, Route route, Value location) {
    const Value gate = location.member("gate");
    route.kind = text_of(location.member("kind"));
    route.location = text_of(location.member("name"));
    route.where = text_of(location.member("where"));
    route.but = strings_of(location.member("except"));
    route.internal = is_true(location.member("internal"));
    route.satisfy_any = location.member("satisfy").string() == "any";
    const auto only = strings_of(location.member("only"));
    if (!is_true(gate.member("on"))) {
        route.is_public = true;
        route.methods = only;
        routes.push_back(std::move(route));
        return;
    }
    route.accepts = accepted_by(gate);
    route.optional = is_true(gate.member("optional"));
    route.dry_run = is_true(location.member("dry_run"));
    add_rows(routes, route, lines_of(location.member("requirements")), only);
}

// Whether no request can end at the server's own level.
bool has_root_location(Value locations) {
    for (std::size_t i = 0; i < locations.size(); ++i) {
        const auto name = locations.at(i).member("name").string();
        if (name == "location /" || name == "location ^~ /") return true;
    }
    return false;
}

}  // namespace

std::vector<Route> routes_of(Value dump) {
    std::vector<Route> routes;
    const Value servers = dump.member("servers");
    for (std::size_t s = 0; s < servers.size(); ++s) {
        const Value locations = servers.at(s).member("locations");
        Route base;
        base.server_names = strings_of(servers.at(s).member("names"));
        base.listens = strings_of(servers.at(s).member("listens"));
        const bool covered = has_root_location(locations);
        for (std::size_t i = 0; i < locations.size(); ++i) {
            const auto kind = locations.at(i).member("kind").string();
            if (kind == "if" || (kind == "server" && covered)) continue;
            add_location(routes, base, locations.at(i));
        }
    }
    return routes;
}

}  // namespace gate::policy
