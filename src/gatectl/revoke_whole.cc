// gatectl revoke list, compact, check: a store of revocations as a whole.
#include <algorithm>
#include <vector>

#include "base/json_object.h"
#include "gatectl/output.h"
#include "gatectl/revocation_store.h"
#include "gatectl/revoke.h"

namespace gate::ctl {

namespace {

using cache::JournalEntry;

bool is_expired(const JournalEntry& entry, Seconds now) {
    return entry.expires != cache::kNeverForgotten && Seconds{entry.expires} <= now;
}

std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::vector<std::string> row_of(const JournalEntry& entry, bool written, Seconds now) {
    std::vector<std::string> row{std::string(name_of(entry.kind)), entry.issuer, entry.value,
                                 issued_until_text(entry),
                                 expires_text(entry) + (is_expired(entry, now) ? " (past)" : "")};
    if (written) row.insert(row.begin(), rfc3339(entry.written));
    return row;
}

int refuse_damage(Io& io, const RevocationStore& store, std::size_t count) {
    return refuse(io, counted(count, "damaged " + std::string(store.noun())) + "; " +
                          std::string(store.consequence()));
}

int report_damage(const Arguments& arguments, Io& io, const RevocationStore& store,
                  const std::vector<Damage>& damage) {
    std::vector<std::string> elements;
    for (const Damage& one : damage) {
        if (arguments.has("json")) {
            elements.push_back(one.json);
        } else {
            io.out << printable(one.text) << '\n';
        }
    }
    if (arguments.has("json")) {
        io.out << JsonObject().raw("damaged", json_array(elements)).str() << '\n';
    }
    return refuse_damage(io, store, damage.size());
}

}  // namespace

int run_revoke_list(const Arguments& arguments, Io& io) {
    const auto store = choose_revocation_store(arguments);
    if (!store) return misuse(io, store.error());
    const bool written = (*store)->tells_written();
    std::vector<std::string> head{"KIND", "ISSUER", "VALUE", "ISSUED UNTIL", "EXPIRES"};
    if (written) head.insert(head.begin(), "WRITTEN");
    Table table(head);
    std::vector<std::string> elements;
    const auto damage = (*store)->read([&](const JournalEntry& entry) {
        if (arguments.has("json")) {
            elements.push_back(journal_json(entry, written));
        } else {
            table.add(row_of(entry, written, io.now));
        }
    });
    if (!damage) return refuse(io, damage.error());
    if (arguments.has("json")) {
        io.out << JsonObject().raw("entries", json_array(elements)).str() << '\n';
    } else {
        io.out << table.str();
    }
    return damage->empty() ? kDone : refuse_damage(io, **store, damage->size());
}

int run_revoke_compact(const Arguments& arguments, Io& io) {
    const auto store = choose_revocation_store(arguments);
    if (!store) return misuse(io, store.error());
    const auto done = (*store)->compact(io.now);
    if (!done) return refuse(io, done.error());
    if (arguments.has("json")) {
        const auto count = static_cast<std::int64_t>(done->count);
        io.out << JsonObject().number("left_out", count).str() << '\n';
    } else {
        io.out << counted(done->count, (*store)->noun()) << " left out\n";
    }
    return conclude(io, done->outcome);
}

int run_revoke_check(const Arguments& arguments, Io& io) {
    const auto store = choose_revocation_store(arguments);
    if (!store) return misuse(io, store.error());
    std::size_t entries = 0;
    std::size_t expired = 0;
    const auto damage = (*store)->check([&](const JournalEntry& entry) {
        ++entries;
        if (is_expired(entry, io.now)) ++expired;
    });
    if (!damage) return refuse(io, damage.error());
    if (!damage->empty()) return report_damage(arguments, io, **store, *damage);
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
