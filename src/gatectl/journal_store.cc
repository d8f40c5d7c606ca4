#include "gatectl/journal_store.h"

#include <sys/stat.h>

#include <fstream>

#include "base/json_object.h"
#include "cache/journal_file.h"

namespace gate::ctl {

namespace {

using cache::JournalEntry;
using cache::JournalProblem;

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

}  // namespace

std::string JournalStore::size_problem(const JournalEntry& entry) const {
    const std::size_t size = format_journal_line(entry).size();
    if (size <= cache::kMaxJournalLine) return {};
    return "issuer and value are too long: a line of " + std::to_string(size) +
           " octets where at most " + std::to_string(cache::kMaxJournalLine) + " fit";
}

// Success is told when the entry is on the disk, and not before.
Result<Outcome, std::string> JournalStore::add(const JournalEntry& entry) {
    struct stat status {};
    const bool is_new = stat(path_.c_str(), &status) != 0;
    if (const auto done = cache::append_to_journal(path_, {entry}); !done) {
        return fail(done.error());
    }
    Outcome outcome;
    if (is_new) {
        outcome.notes.push_back(
            path_ + " is new; nginx's workers must be able to read it (chgrp, then chmod 640)");
    }
    return outcome;
}

Result<std::vector<Damage>, std::string> JournalStore::read(const Visit& visit) {
    const auto read = cache::read_journal(path_, visit);
    if (!read) return fail(located(path_, read.error()));
    return std::vector<Damage>();
}

Result<std::vector<Damage>, std::string> JournalStore::check(const Visit& visit) {
    const auto read = cache::read_journal(path_, visit);
    std::vector<Damage> damage;
    if (read) return damage;
    if (read.error().line == 0) return fail(read.error().text);
    for (const JournalProblem& problem : all_damage(path_, read.error())) {
        JsonObject object;
        object.number("line", static_cast<std::int64_t>(problem.line));
        damage.push_back({located(path_, problem), object.text("problem", problem.text).str()});
    }
    return damage;
}

Result<Compacted, std::string> JournalStore::compact(Seconds now) {
    const auto count = cache::compact_journal(path_, now);
    if (!count) return fail(count.error());
    return Compacted{*count, {}};
}

}  // namespace gate::ctl
