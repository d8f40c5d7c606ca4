// One journal, applied to the zone a slice at a time by the process that owns it at the moment.
#pragma once

#include <cstdint>
#include <string>

#include "cache/journal.h"
#include "cache/zone.h"
#include "nginx/zone.h"

namespace gate::nginx {

class JournalReader {
public:
    JournalReader(const JournalConf& conf, cache::Zone& zone);

    enum class Step : std::uint8_t {
        kInStep,     // all of it is applied
        kMore,       // there is more to do, now or a little later
        kElsewhere,  // another process is at it
        kProblem,    // see problem(); what was applied stays in force
    };
    // Works for about `budget` microseconds.
    Step step(std::int64_t budget);

    // For people: "line 12 is damaged: ..".
    const std::string& problem() const noexcept { return problem_; }
    // A revocation did not fit.
    bool full() const noexcept { return full_; }
    const JournalConf& conf() const noexcept { return conf_; }
    std::uint64_t lines() const noexcept;

private:
    class File;
    Step read(File& file, std::int64_t deadline);
    enum class Batch : std::uint8_t { kDone, kBusy, kDamaged };
    Batch apply(std::string_view text, std::size_t& used);
    void finish(std::uint64_t changed);
    bool fail(std::string problem);
    bool continues(const File& file) const;
    std::uint64_t tail_of(const File& file, std::uint64_t offset) const;
    Step damaged_at(std::uint64_t offset);

    const JournalConf& conf_;
    cache::Zone& zone_;
    cache::JournalState* state_;
    std::string problem_;
    bool full_ = false;
    // A line that does not parse may be one that somebody is just replacing.
    std::uint64_t suspect_ = 0;        // where it begins, plus one
    std::uint64_t suspect_since_ = 0;  // milliseconds
};

// The state of the journal of that path; a free one is taken. nullptr when there is none left.
cache::JournalState* journal_state(cache::Zone& zone, const std::string& path) noexcept;

}  // namespace gate::nginx
