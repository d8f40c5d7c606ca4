// Appending to a journal so that nothing acknowledged is lost, and rewriting it. Plain files and
// POSIX calls, for gatectl and for threads; never for an event loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/journal.h"

namespace gate::cache {

// Opens with O_APPEND, takes flock, reopens if another file has taken the path, cuts off a line
// that somebody did not finish, writes all lines, fsyncs file and directory, unlocks. A missing
// file is created with mode 0640, and by root with the owner and group of its directory. Success
// means durable. The error is a sentence that names the path.
Status<std::string> append_to_journal(const std::string& path,
                                      const std::vector<JournalEntry>& entries);

struct JournalProblem {
    std::size_t line = 0;  // from 1; 0: the file itself
    std::string text;
};

// Calls `take` for every finished line. Errors: the file cannot be read, or a line is damaged.
Status<JournalProblem> read_journal(const std::string& path,
                                    const std::function<void(const JournalEntry&)>& take);

// Rewrites the journal without entries that have expired at `now` and without those that a later or
// wider one of the same item covers, under the same lock: written beside it, fsynced, renamed. The
// count of lines left out.
Result<std::size_t, std::string> compact_journal(const std::string& path, Seconds now);

}  // namespace gate::cache
