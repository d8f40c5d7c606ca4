#include "policy/page.h"

#include <algorithm>

#include "base/html_text.h"

namespace gate::policy {

namespace {

// Colours of states keep a contrast of at least 4.5:1 in both schemes.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #d1d9e0;
  --back: #fff; --head: #f6f8fa; --good: #116329; --warn: #7d4e00; --bad: #b31d28; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --back: #0d1117; --head: #161b22; --good: #56d364; --warn: #e3b341; --bad: #ff8e86; } }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 80rem; background: var(--back);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; max-width: 60rem; color: var(--soft); }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .45rem .75rem; text-align: left; vertical-align: top; }
th { background: var(--head); font-size: .85rem; white-space: nowrap; }
tr + tr td, tbody tr td { border-top: 1px solid var(--line); }
td { overflow-wrap: break-word; }
.table + p { margin-top: .75rem; }
small, .soft { color: var(--soft); font-size: .85rem; }
code { font: .9em ui-monospace, monospace; }
strong { white-space: nowrap; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
@media (max-width: 40rem) {
  thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
  tr { display: block; padding: .5rem 0; } tr + tr { border-top: 1px solid var(--line); }
  td, tbody tr td { display: block; border: 0; padding: .1rem .75rem; }
  td:empty { display: none; }
  td[data-name]::before { content: attr(data-name) " "; color: var(--soft); font-size: .85rem; }
}
)";

}  // namespace

std::string breakable_path(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('/', at), text.size() - 1) + 1;
        out += html_escaped(text.substr(at, end - at));
        if (end < text.size()) out += "<wbr>";
        at = end;
    }
    return out;
}

std::string html_page(std::string_view title, std::string_view body, unsigned refresh) {
    std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    page += "<meta name=\"robots\" content=\"noindex\">\n";
    if (refresh > 0) {
        page += "<meta http-equiv=\"refresh\" content=\"" + std::to_string(refresh) + "\">\n";
    }
    page += "<title>" + html_escaped(title) + "</title>\n<style>";
    page.append(kStyle).append("</style>\n</head>\n<body>\n").append(body);
    return page + "</body>\n</html>\n";
}

}  // namespace gate::policy
