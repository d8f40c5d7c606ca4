// gatectl user import: the users of a file into a user file or a store in Redis.
#include <algorithm>
#include <array>

#include "gatectl/command.h"
#include "gatectl/files.h"
#include "gatectl/import_counts.h"
#include "gatectl/redis_options.h"
#include "gatectl/user_file.h"
#include "gatectl/user_store.h"

namespace gate::ctl {

namespace {

using users::User;
using users::UserTable;

struct Source {
    UserTable table;
    bool whole = false;  // it tells all of a user, and not only the hash
};

Result<Source, std::string> read_source(const std::string& path) {
    const auto text = read_file(path, kMaxKeyFile);
    if (!text) return fail(text.error());
    auto table = parse_users(path, *text);
    if (!table) return fail(table.error());
    return Source{*std::move(table), UserTable::is_json(*text)};
}

class Import {
public:
    Import(UserStore& store, const Source& source, bool replace, Seconds now)
        : store_(store), source_(source), replace_(replace), now_(now) {}

    // What was killed half-way is completed by the same command.
    Result<Outcome, std::string> run() {
        const auto& users = source_.table.users();
        Outcome outcome;
        for (std::size_t begin = 0; begin < users.size();) {
            const std::size_t size = std::min(store_.at_once(), users.size() - begin);
            auto written = write(std::span(users).subspan(begin, size));
            if (!written) {
                return fail(written.error() + (begin == 0 ? ""
                                                          : "; " + std::to_string(begin) +
                                                                " users are done, repeat the "
                                                                "command for the rest"));
            }
            outcome = *std::move(written);
            begin += size;
        }
        return outcome;
    }

    const ImportCounts& counts() const noexcept { return counts_; }

private:
    UserPtr successor_of(const User& old, const User& imported) const {
        User user = source_.whole ? imported : old;
        user.password = imported.password;
        if (user.created == 0) user.created = old.created;
        return std::make_shared<const User>(std::move(user));
    }

    UserPtr stamped(const UserPtr& imported) const {
        if (imported->created != 0) return imported;
        User user = *imported;
        user.created = now_;
        return std::make_shared<const User>(std::move(user));
    }

    Result<Outcome, std::string> write(std::span<const UserPtr> part) {
        ImportCounts counts;
        auto outcome = store_.change([&](UserEdit& edit) -> Status<Refusal> {
            counts = {};
            for (const UserPtr& imported : part) {
                const auto old = edit.find(imported->name);
                if (!old) return fail(old.error());
                if (*old == nullptr) {
                    edit.put(stamped(imported));
                    ++counts.added;
                    continue;
                }
                UserPtr successor = successor_of(**old, *imported);
                if (!replace_ || successor->to_json() == (*old)->to_json()) {
                    ++counts.kept;
                    continue;
                }
                edit.put(std::move(successor));
                ++counts.replaced;
            }
            return Done{};
        });
        if (!outcome) return outcome;
        counts_.add(counts);
        return outcome;
    }

    UserStore& store_;
    const Source& source_;
    bool replace_;
    Seconds now_;
    ImportCounts counts_;
};

int run_import(const Arguments& arguments, Io& io) {
    const auto chosen = choose_user_store(arguments, 1, MissingFile::kCreate);
    if (!chosen) return misuse(io, chosen.error());
    const auto source = read_source(chosen->operands[0]);
    if (!source) return refuse(io, source.error());
    Import import(*chosen->store, *source, arguments.has("replace"), io.now);
    const auto outcome = import.run();
    if (!outcome) return refuse(io, outcome.error());
    print_counts(arguments, io, import.counts());
    for (const std::string& note : source->table.notes()) io.err << "gatectl: " << note << '\n';
    return conclude(io, *outcome);
}

constexpr std::array kOptions{Option{"replace", "", "also change users that are there already"},
                              Option{"json", "", "print JSON"}};

constexpr std::array<Command, 1> kCommands{{
    {"user import", "[FILE] SOURCE", "Take the users of a file of htpasswd, or of a user file",
     "Users that are there already stay as they are, unless --replace is given: then they get the\n"
     "password of SOURCE, and all that a user file says; of htpasswd's, roles, scopes and the "
     "rest\n"
     "stay. In Redis a hundred users at a time are written together; if it is interrupted, the "
     "same\n"
     "command does the rest.",
     kOptions, 1, 2, run_import, kRedisChangeOptions},
}};

}  // namespace

std::span<const Command> user_import_commands() {
    return kCommands;
}

}  // namespace gate::ctl
