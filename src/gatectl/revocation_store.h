// Where revocations are kept: a journal or a store in Redis, the same for the commands.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cache/journal.h"
#include "gatectl/command.h"
#include "gatectl/store_change.h"

namespace gate::ctl {

// Something in a store that is no revocation.
struct Damage {
    std::string text;  // for people, with its place
    std::string json;  // the same as an object
};

struct Compacted {
    std::size_t count = 0;  // what was left out
    Outcome outcome;
};

class RevocationStore {
public:
    virtual ~RevocationStore() = default;

    // Whether the store knows when entries were written.
    virtual bool tells_written() const noexcept = 0;
    // What it calls an entry: "line".
    virtual std::string_view noun() const noexcept = 0;
    // What is wrong with the entry's size, a sentence; empty: nothing.
    virtual std::string size_problem(const cache::JournalEntry& entry) const = 0;

    // Errors are sentences. Success means durable, as far as the store can be.
    virtual Result<Outcome, std::string> add(const cache::JournalEntry& entry) = 0;

    using Visit = std::function<void(const cache::JournalEntry&)>;
    // Visits what is in force; what is damaged, and therefore not. A store that is in force as a
    // whole only is an error if anything in it is damaged.
    virtual Result<std::vector<Damage>, std::string> read(const Visit& visit) = 0;
    // Visits what is good; all that is damaged.
    virtual Result<std::vector<Damage>, std::string> check(const Visit& visit) = 0;
    // What nginx does about damage: "nginx refuses such a file".
    virtual std::string_view consequence() const noexcept = 0;

    // Leaves out what may be forgotten at `now`.
    virtual Result<Compacted, std::string> compact(Seconds now) = 0;
};

// That of --file or --redis. Errors are about usage; nothing is opened yet.
Result<std::unique_ptr<RevocationStore>, std::string> choose_revocation_store(
    const Arguments& arguments);

}  // namespace gate::ctl
