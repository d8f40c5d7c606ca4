// gatectl key import: the records of a key file into a store in Redis.
#include <array>
#include <set>
#include <span>
#include <utility>

#include "apikey/record_fields.h"
#include "gatectl/command.h"
#include "gatectl/import_counts.h"
#include "gatectl/key_file.h"
#include "gatectl/redis_change.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_records.h"

namespace gate::ctl {

namespace {

using apikey::Record;
using redis::Reply;

constexpr std::size_t kSlice = 100;  // records of one transaction

enum class Fate { kAdd, kReplace, kKeep };

// What the store has under a record's id and its digest.
struct Present {
    std::string digest;  // of the key with that id; empty: none
    std::string other;   // id of the key with that digest, where it is another; empty: none
    Fate fate = Fate::kAdd;
};

class Import {
public:
    Import(RedisSession& session, const Records& records, bool replace)
        : session_(session), records_(records), replace_(replace) {
        for (const RecordPtr& record : records) {
            ids_.insert(record->id);
            digests_.insert(record->digest);
        }
    }

    // All of it is looked at before any of it is written. Then a slice at a time: what was killed
    // half-way is completed by the same command.
    Result<Outcome, std::string> run() {
        if (const auto good = check_epoch(session_); !good) return fail(good.error());
        if (const auto good = look_at_all(); !good) return fail(good.error());
        Outcome outcome;
        for (std::size_t begin = 0; begin < records_.size(); begin += kSlice) {
            auto written = write(slice(begin));
            if (!written) {
                return fail(written.error() + (begin == 0 ? ""
                                                          : "; " + std::to_string(begin) +
                                                                " records are done, repeat "
                                                                "the command for the rest"));
            }
            outcome = *std::move(written);
        }
        return outcome;
    }

    const ImportCounts& counts() const noexcept { return counts_; }

private:
    using Slice = std::span<const RecordPtr>;
    Slice slice(std::size_t begin) const {
        return Slice(records_).subspan(begin, std::min(kSlice, records_.size() - begin));
    }

    std::vector<std::string> keys_of(Slice slice) const {
        std::vector<std::string> names;
        for (const RecordPtr& record : slice) {
            names.push_back(session_.keys().key_id(record->id));
            names.push_back(session_.keys().key(record->digest));
        }
        return names;
    }

    Commands questions_of(Slice slice) const {
        Commands questions;
        const std::vector<std::string> names = keys_of(slice);
        for (std::size_t i = 0; i < names.size(); i += 2) {
            questions.push_back(command({"GET", names[i]}));
            questions.push_back(command({"HGETALL", names[i + 1]}));
        }
        return questions;
    }

    // Of one record, by the replies to its two questions.
    static Present present(const Record& record, const Reply& digest, const Reply& hash) {
        Present found;
        found.digest = digest_in(digest);
        const auto stored = record_in(hash, record.digest);
        const bool empty = stored && *stored == nullptr;
        const bool equal =
            stored && *stored != nullptr && fields_of_record(**stored) == fields_of_record(record);
        if (stored && *stored != nullptr && (*stored)->id != record.id) {
            found.other = (*stored)->id;
        }
        if (found.digest == record.digest && equal) {
            found.fate = Fate::kKeep;
        } else if ((found.digest.empty() || found.digest == record.digest) && (empty || equal)) {
            found.fate = Fate::kAdd;
        } else {
            found.fate = Fate::kReplace;
        }
        return found;
    }

    Status<std::string> look_at_all() {
        std::vector<std::string> clashes;
        for (std::size_t begin = 0; begin < records_.size(); begin += kSlice) {
            const Slice part = slice(begin);
            const auto replies = session_.read(questions_of(part));
            if (!replies) return fail(replies.error());
            for (std::size_t i = 0; i < part.size(); ++i) {
                const Present found = present(*part[i], (*replies)[2 * i], (*replies)[2 * i + 1]);
                if (found.fate == Fate::kReplace) clashes.push_back(part[i]->id);
            }
        }
        if (clashes.empty() || replace_) return Done{};
        constexpr std::size_t kNamed = 10;
        std::string text = std::to_string(clashes.size()) + " of " +
                           std::to_string(records_.size()) +
                           " keys are in the store with other contents (";
        for (std::size_t i = 0; i < clashes.size() && i < kNamed; ++i) {
            text += (i == 0 ? "" : ", ") + clashes[i];
        }
        return fail(text + (clashes.size() > kNamed ? ", ..)" : ")") +
                    "; nothing was changed; --replace puts those of the file in their place");
    }

    // What has the id or the digest of a record that is about to be written, and goes.
    void make_way(RedisChange& change, const Record& record, const Present& found) const {
        const auto& keys = change.keys();
        if (!found.digest.empty() && found.digest != record.digest &&
            !digests_.contains(found.digest)) {
            change.add(command({"DEL", keys.key(found.digest)}));
            change.announce({{}, redis::Change::Kind::kKey, {}, {}, found.digest, record.id});
        }
        if (!found.other.empty() && !ids_.contains(found.other)) {
            change.add(command({"DEL", keys.key_id(found.other)}));
            change.add(command({"ZREM", keys.keys(), found.other}));
            change.add(command({"HDEL", keys.used(), found.other}));
        }
    }

    Result<Outcome, std::string> write(Slice part) {
        ImportCounts counts;
        auto outcome = change_redis(session_, [&](RedisChange& change) -> Status<Refusal> {
            counts = {};
            const auto replies = change.look(keys_of(part), questions_of(part));
            if (!replies) return fail(replies.error());
            for (std::size_t i = 0; i < part.size(); ++i) {
                const Record& record = *part[i];
                const Present found = present(record, (*replies)[2 * i], (*replies)[2 * i + 1]);
                if (found.fate == Fate::kReplace && !replace_) {
                    return fail(
                        Refusal{"key " + record.id + " was changed in the store at the same time"});
                }
                ++(found.fate == Fate::kKeep  ? counts.kept
                   : found.fate == Fate::kAdd ? counts.added
                                              : counts.replaced);
                if (found.fate == Fate::kKeep) continue;
                make_way(change, record, found);
                put_record(change, record, nullptr);
            }
            return Done{};
        });
        if (!outcome) return outcome;
        counts_.add(counts);
        return outcome;
    }

    RedisSession& session_;
    const Records& records_;
    bool replace_;
    std::set<std::string, std::less<>> ids_;
    std::set<std::string, std::less<>> digests_;
    ImportCounts counts_;
};

int run_import(const Arguments& arguments, Io& io) {
    auto options = redis_options(arguments, false);
    if (!options) return misuse(io, options.error());
    if (!*options) return misuse(io, "which store? Give --redis ADDRESS");
    const auto records = read_key_file(arguments.positional()[0]);
    if (!records) return refuse(io, records.error());
    const auto session = RedisSession::open(**std::move(options));
    if (!session) return refuse(io, session.error());
    Import import(**session, *records, arguments.has("replace"));
    const auto outcome = import.run();
    if (!outcome) return refuse(io, outcome.error());
    print_counts(arguments, io, import.counts());
    return conclude(io, *outcome);
}

constexpr std::array kOptions{
    Option{"replace", "", "put keys of the file in the place of others with their id or digest"},
    Option{"json", "", "print JSON"}};

constexpr std::array<Command, 1> kCommands{{
    {"key import", "FILE", "Put the keys of a key file into a store in Redis",
     "Keys that the store has already stay as they are. One that is there with other contents "
     "stops\n"
     "all of it before anything is written, unless --replace is given. A hundred keys at a time "
     "are\n"
     "written together; if it is interrupted, the same command does the rest.",
     kOptions, 1, 1, run_import, kRedisChangeOptions},
}};

}  // namespace

std::span<const Command> key_import_commands() {
    return kCommands;
}

}  // namespace gate::ctl
