#include <algorithm>
#include <array>
#include <string>

#include "base/html_text.h"
#include "base/json_object.h"
#include "base/time.h"
#include "policy/health.h"
#include "policy/page.h"
#include "policy/route_text.h"

namespace gate::policy {

namespace {

struct Kind {
    std::string_view name;
    std::string_view title;
};
constexpr std::array<Kind, 5> kKinds{{{"redis", "Redis"},
                                      {"revocation", "Revocation"},
                                      {"issuer", "Issuer"},
                                      {"keys", "API keys"},
                                      {"users", "Users"}}};

struct Look {
    std::string_view word;
    std::string_view mark;  // so that nothing hangs on colour alone
    std::string_view style;
};
Look look_of(HealthState state) noexcept {
    switch (state) {
        case HealthState::kNotConfigured:
            return {"Not configured", "\xe2\x80\x93", "soft"};
        case HealthState::kConnected:
            return {"Connected", "\xe2\x9c\x93", "good"};
        case HealthState::kDegraded:
            return {"Degraded", "!", "warn"};
        case HealthState::kStarting:
            return {"Starting", "\xe2\x80\xa6", "warn"};
        case HealthState::kDisconnected:
            break;
    }
    return {"Disconnected", "\xe2\x9c\x95", "bad"};
}

// The integrations in the order of their kinds, with one for each kind of which there is none.
std::vector<Integration> all_of(const HealthReport& report) {
    std::vector<Integration> all;
    for (const Kind& kind : kKinds) {
        const std::size_t before = all.size();
        for (const Integration& one : report.integrations) {
            if (one.kind == kind.name) all.push_back(one);
        }
        if (all.size() == before) {
            all.push_back({.kind = std::string(kind.name),
                           .name = {},
                           .health = {HealthState::kNotConfigured},
                           .where = {}});
        }
    }
    return all;
}

std::string json_of(const Integration& integration) {
    JsonObject object;
    object.text("integration", integration.kind).text("name", integration.name);
    object.text("state", name_of(integration.health.state));
    if (integration.since != 0) object.text("since", rfc3339(integration.since));
    return object.text("reason", integration.health.reason).text("where", integration.where).str();
}

std::string ago(std::int64_t seconds) {
    const std::int64_t passed = std::max<std::int64_t>(seconds, 0);
    if (passed < 120) return std::to_string(passed) + " s";
    if (passed < 7200) return std::to_string(passed / 60) + " min";
    if (passed < 172'800) return std::to_string(passed / 3600) + " h";
    return std::to_string(passed / 86'400) + " days";
}

std::string since_cell(const Integration& integration, std::int64_t now) {
    if (integration.since == 0) return "<td></td>";
    const std::string at = rfc3339(integration.since);
    return "<td data-name=\"for\"><time datetime=\"" + at + "\" title=\"since " + at + "\">" +
           ago(now - integration.since) + "</time></td>";
}

std::string_view title_of(std::string_view kind) noexcept {
    const auto* const found = std::ranges::find(kKinds, kind, &Kind::name);
    return found == kKinds.end() ? kind : found->title;
}

std::string html_of(const Integration& integration, std::int64_t now, std::string_view main_file) {
    const Look look = look_of(integration.health.state);
    std::string row = "<tr><td><strong class=\"";
    row.append(look.style).append("\"><span aria-hidden=\"true\">").append(look.mark);
    row.append("</span> ").append(look.word).append("</strong></td><td>");
    row.append(html_escaped(title_of(integration.kind))).append("</td><td>");
    if (!integration.name.empty()) {
        row.append("<code>").append(breakable_path(integration.name)).append("</code>");
    }
    row.append("</td>").append(since_cell(integration, now)).append("<td>");
    row.append(html_escaped(integration.health.reason)).append("</td><td>");
    if (!integration.where.empty()) {
        const std::string where = shortened(integration.where, main_file);
        row.append("<small>").append(breakable_path(where)).append("</small>");
    }
    return row + "</td></tr>\n";
}

std::string summary(const HealthReport& report) {
    std::size_t bad = 0;
    std::size_t degraded = 0;
    for (const Integration& one : report.integrations) {
        if (one.health.state >= HealthState::kStarting) ++bad;
        if (one.health.state == HealthState::kDegraded) ++degraded;
    }
    if (bad > 0) {
        return "<strong class=\"bad\">Not ready:</strong> some requests cannot be decided and are "
               "refused with 503.";
    }
    if (degraded > 0) {
        return "<strong class=\"warn\">Ready,</strong> but not everything is as it should be.";
    }
    return "<strong class=\"good\">Ready.</strong>";
}

}  // namespace

std::string health_as_json(const HealthReport& report) {
    std::vector<std::string> elements;
    for (const Integration& one : all_of(report)) elements.push_back(json_of(one));
    JsonObject object;
    object.text("version", report.version).text("time", rfc3339(report.now));
    object.boolean("ready", is_ready(report)).text("known_by", report.shared ? "node" : "worker");
    return object.raw("integrations", json_array(elements)).str() + "\n";
}

std::string health_as_html(const HealthReport& report) {
    constexpr unsigned kRefresh = 10;
    std::string body = "<h1>Health</h1>\n<p>" + summary(report) + "</p>\n";
    body +=
        "<div class=\"table\"><table>\n<thead><tr><th>State</th><th>What</th><th>Name</th>"
        "<th>For</th><th>Why</th><th>Where</th></tr></thead>\n<tbody>\n";
    for (const Integration& one : all_of(report))
        body += html_of(one, report.now, report.main_file);
    body += "</tbody>\n</table></div>\n<p><small>nginx-gate " + html_escaped(report.version) +
            ", " + rfc3339(report.now) + ". ";
    body += report.shared ? "What all workers of this machine know."
                          : "What the worker that answered knows: without gate_zone the others may "
                            "know something else.";
    return html_page("Health", body + "</small></p>\n", kRefresh);
}

}  // namespace gate::policy
