// gatectl revoke list, compact, check: a journal as a whole.
#include <fstream>
#include <vector>

#include "base/json_object.h"
#include "cache/journal_file.h"
#include "gatectl/output.h"
#include "gatectl/revoke.h"

namespace gate::ctl {

namespace {

using cache::JournalEntry;
using cache::JournalProblem;

bool is_expired(const JournalEntry& entry, Seconds now) {
    return entry.expires != cache::kNeverForgotten && Seconds{entry.expires} <= now;
}

std::string located(const std::string& path, const JournalProblem& problem) {
    if (problem.line == 0) return problem.text;
    return path + ":" + std::to_string(problem.line) + ": " + problem.text;
}

// Every damaged line of a file that has at least one: read_journal() stops at the first, and knows
// better what a writer is at work on.
std::vector<JournalProblem> all_damage(const std::string& path, const JournalProblem& first) {
    std::vector<JournalProblem> damage;
    std::ifstream file(path, std::ios::binary);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        std::string problem;
        if (file.eof()) {
            problem = cache::unfinished_line_problem(line);
        } else if (const auto entry = cache::parse_journal_line(line); !entry) {
            problem = entry.error();
        }
        if (!problem.empty()) damage.push_back({number, problem});
    }
    if (damage.empty()) damage.push_back(first);
    return damage;
}

int report_damage(const Arguments& arguments, Io& io, const std::string& path,
                  const JournalProblem& first) {
    if (first.line == 0) return refuse(io, first.text);
    const std::vector<JournalProblem> damage = all_damage(path, first);
    std::vector<std::string> elements;
    for (const JournalProblem& problem : damage) {
        if (arguments.has("json")) {
            JsonObject object;
            object.number("line", static_cast<std::int64_t>(problem.line));
            elements.push_back(object.text("problem", problem.text).str());
        } else {
            io.out << printable(located(path, problem)) << '\n';
        }
    }
    if (arguments.has("json")) {
        io.out << JsonObject().raw("damaged", json_array(elements)).str() << '\n';
    }
    return refuse(io, path + ": " + std::to_string(damage.size()) +
                          (damage.size() == 1 ? " damaged line" : " damaged lines") +
                          "; nginx refuses such a file");
}

}  // namespace

int run_revoke_list(const Arguments& arguments, Io& io) {
    const auto path = journal_option(arguments);
    if (!path) return misuse(io, path.error());
    Table table({"WRITTEN", "KIND", "ISSUER", "VALUE", "ISSUED UNTIL", "EXPIRES"});
    std::vector<std::string> elements;
    const auto read = cache::read_journal(*path, [&](const JournalEntry& entry) {
        if (arguments.has("json")) {
            elements.push_back(journal_json(entry));
            return;
        }
        table.add({rfc3339(entry.written), std::string(name_of(entry.kind)), entry.issuer,
                   entry.value, issued_until_text(entry),
                   expires_text(entry) + (is_expired(entry, io.now) ? " (past)" : "")});
    });
    if (!read) return refuse(io, located(*path, read.error()));
    if (arguments.has("json")) {
        io.out << JsonObject().raw("entries", json_array(elements)).str() << '\n';
    } else {
        io.out << table.str();
    }
    return kDone;
}

int run_revoke_compact(const Arguments& arguments, Io& io) {
    const auto path = journal_option(arguments);
    if (!path) return misuse(io, path.error());
    const auto count = cache::compact_journal(*path, io.now);
    if (!count) return refuse(io, count.error());
    if (arguments.has("json")) {
        io.out << JsonObject().number("left_out", static_cast<std::int64_t>(*count)).str() << '\n';
    } else {
        io.out << *count << (*count == 1 ? " line" : " lines") << " left out\n";
    }
    return kDone;
}

int run_revoke_check(const Arguments& arguments, Io& io) {
    const auto path = journal_option(arguments);
    if (!path) return misuse(io, path.error());
    std::size_t entries = 0;
    std::size_t expired = 0;
    const auto read = cache::read_journal(*path, [&](const JournalEntry& entry) {
        ++entries;
        if (is_expired(entry, io.now)) ++expired;
    });
    if (!read) return report_damage(arguments, io, *path, read.error());
    if (arguments.has("json")) {
        JsonObject object;
        object.number("entries", static_cast<std::int64_t>(entries));
        object.number("expired", static_cast<std::int64_t>(expired)).raw("damaged", "[]");
        io.out << object.str() << '\n';
    } else {
        io.out << entries << (entries == 1 ? " entry, " : " entries, ") << expired
               << " of them expired, none damaged\n";
    }
    return kDone;
}

}  // namespace gate::ctl
