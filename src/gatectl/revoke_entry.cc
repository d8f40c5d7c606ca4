// gatectl revoke jti, sub, sid, client, key, all, token: one entry more.
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <optional>

#include "base/ascii.h"
#include "base/json_text.h"
#include "crypto/digest.h"
#include "gatectl/input.h"
#include "gatectl/key_options.h"
#include "gatectl/output.h"
#include "gatectl/revocation_store.h"
#include "gatectl/revoke.h"
#include "jose/issuer.h"
#include "jose/json.h"
#include "jose/token.h"

namespace gate::ctl {

namespace {

using cache::JournalEntry;
using cache::RevocationKind;

// As the journal has it: what lies beyond its range is for ever.
std::uint32_t journal_instant(Seconds when) {
    return static_cast<std::uint32_t>(std::clamp<Seconds>(when, 0, cache::kNeverForgotten));
}

// Text that a token may hold and that a terminal and a log survive.
Status<std::string> check_text(std::string_view what, std::string_view text) {
    if (has_control_character(text)) {
        return fail(std::string(what) + " has control characters: " + json_string(text));
    }
    return Done{};
}

Status<std::string> read_expiry(const Arguments& arguments, Seconds now, JournalEntry& entry) {
    if (arguments.has("expires") && arguments.has("ttl")) {
        return fail(std::string("--expires and --ttl say the same thing; give one"));
    }
    std::optional<Seconds> when;
    if (const auto text = arguments.value("expires")) {
        const auto instant = parse_instant(*text, now);
        if (!instant) return fail("--expires: " + instant.error());
        if (*instant <= now) return fail(std::string("--expires: the instant is past"));
        when = *instant;
    } else if (const auto ttl = arguments.value("ttl")) {
        const auto time = parse_duration(*ttl);
        if (!time || *time == 0) return fail(std::string("--ttl: expected a time such as 24h"));
        when = now + *time;
    }
    if (when) entry.expires = journal_instant(*when);
    return Done{};
}

Status<std::string> read_issued_until(const Arguments& arguments, Seconds now,
                                      JournalEntry& entry) {
    entry.issued_until = journal_instant(now);
    const auto text = arguments.value("issued-until");
    if (!text) return Done{};
    if (*text == "never") {
        entry.issued_until = cache::kEveryInstant;
        return Done{};
    }
    const auto when = parse_rfc3339(*text);
    if (!when || *when < 0) {
        return fail("--issued-until: " + json_string(*text) +
                    " is neither an instant such as 2030-01-31T00:00:00Z nor \"never\"");
    }
    entry.issued_until = journal_instant(*when);
    return Done{};
}

// --issuer, or --store where the entry is about keys.
Status<std::string> read_issuer(const Arguments& arguments, JournalEntry& entry) {
    const auto issuer = arguments.value("issuer");
    const auto store = arguments.value("store");
    if (issuer && store) return fail(std::string("give --issuer or --store, not both"));
    if (entry.kind == RevocationKind::kAll) {
        entry.issuer = store.value_or(issuer.value_or("*"));
    } else if (entry.kind == RevocationKind::kKey) {
        if (!store) return fail(std::string("--store is missing: the name of a gate_keys block"));
        entry.issuer = *store;
    } else {
        if (!issuer) return fail(std::string("--issuer is missing: the exact iss of the token"));
        entry.issuer = *issuer;
    }
    if (store && store->empty()) return fail(std::string("--store is empty"));
    if (entry.issuer == "*" && entry.kind != RevocationKind::kAll) {
        return fail(std::string("--issuer \"*\" goes with revoke all only"));
    }
    return check_text(store ? "--store" : "--issuer", entry.issuer);
}

std::string subject_of(const JournalEntry& entry) {
    const std::string issuer = json_string(entry.issuer);
    if (entry.kind == RevocationKind::kAll) {
        return entry.issuer == "*" ? "everything" : "everything of " + issuer;
    }
    const bool key = entry.kind == RevocationKind::kKey;
    return std::string(name_of(entry.kind)) + " " + json_string(entry.value) +
           (key ? " of store " : " of issuer ") + issuer;
}

void print_entry(const Arguments& arguments, Io& io, const JournalEntry& entry) {
    if (arguments.has("json")) {
        io.out << journal_json(entry, true) << '\n';
    } else {
        io.out << "revoked    " << subject_of(entry) << '\n';
        io.out << "issued     " << (entry.issued_until == cache::kEveryInstant ? "" : "until ")
               << issued_until_text(entry) << '\n';
        io.out << "forgotten  " << expires_text(entry) << '\n';
    }
    if (entry.expires == cache::kNeverForgotten) {
        io.err << "gatectl: this entry is kept for ever; with --expires (the token's exp, and 300s "
                  "for leeway) the store stays small\n";
    }
}

// Success is told when the store has the entry, and not before.
int append(const Arguments& arguments, Io& io, const JournalEntry& entry) {
    const auto store = choose_revocation_store(arguments);
    if (!store) return misuse(io, store.error());
    const std::string problem = (*store)->size_problem(entry);
    if (!problem.empty()) return misuse(io, problem);
    const auto outcome = (*store)->add(entry);
    if (!outcome) return refuse(io, outcome.error());
    print_entry(arguments, io, entry);
    return conclude(io, *outcome);
}

int run_kind(const Arguments& arguments, Io& io, RevocationKind kind) {
    JournalEntry entry;
    entry.written = io.now;
    entry.kind = kind;
    if (kind != RevocationKind::kAll) {
        entry.value = arguments.positional()[0];
        if (entry.value.empty()) return misuse(io, "the value is empty");
        if (const auto good = check_text("the value", entry.value); !good) {
            return misuse(io, good.error());
        }
    }
    if (const auto read = read_issuer(arguments, entry); !read) return misuse(io, read.error());
    if (kind != RevocationKind::kJti && kind != RevocationKind::kKey) {
        const auto read = read_issued_until(arguments, io.now, entry);
        if (!read) return misuse(io, read.error());
    }
    const auto read = read_expiry(arguments, io.now, entry);
    if (!read) return misuse(io, read.error());
    return append(arguments, io, entry);
}

// What the token says of itself; nobody has verified it.
Result<JournalEntry, std::string> entry_of_token(std::string_view text, Seconds now) {
    const auto token = jose::parse_token(text);
    if (!token) {
        return fail("not a token that nginx would read (" + std::string(code(token.error())) + ")");
    }
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) {
        return fail("the token's claims are no strict JSON object (" +
                    std::string(code(payload.error())) + ")");
    }
    const jose::Value claims = payload->root();
    JournalEntry entry;
    entry.written = now;
    for (const char* name : {"iss", "jti"}) {
        const jose::Value claim = claims.member(name);
        if (claim.present() && !claim.string()) {
            return fail("nginx would refuse the token: its " + std::string(name) + " is no string");
        }
    }
    entry.issuer = claims.member("iss").string().value_or("");
    entry.value = claims.member("jti").string().value_or("");
    if (entry.value.empty()) {
        entry.kind = RevocationKind::kToken;
        entry.value = to_hex(crypto::sha256(bytes_of(token->signing_input)));
    }
    const auto exp = claims.member("exp").number();
    if (exp && *exp < cache::kNeverForgotten) {
        entry.expires = journal_instant(static_cast<Seconds>(std::ceil(*exp)) + jose::kMaxLeeway);
        if (entry.expires <= now) {
            return fail(std::string("the token has expired; there is nothing to revoke"));
        }
    }
    return entry;
}

}  // namespace

int run_revoke_jti(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kJti);
}

int run_revoke_subject(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kSubject);
}

int run_revoke_session(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kSession);
}

int run_revoke_client(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kClient);
}

int run_revoke_key(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kKey);
}

int run_revoke_all(const Arguments& arguments, Io& io) {
    return run_kind(arguments, io, RevocationKind::kAll);
}

int run_revoke_token(const Arguments& arguments, Io& io) {
    const auto name = arguments.value("token-file");
    if (!name) return misuse(io, "--token-file is missing: a file with the token, or -");
    Secret token;
    if (*name == "-") {
        token = read_credential(io.in);
    } else {
        std::ifstream file(*name, std::ios::binary);
        if (!file) return refuse(io, *name + ": cannot be read");
        token = read_credential(file);
    }
    const auto entry = entry_of_token(token.text(), io.now);
    if (!entry) return refuse(io, entry.error());
    const int status = append(arguments, io, *entry);
    if (status == kDone) {
        io.err << "gatectl: the token was not verified; whoever wrote it chose what is revoked\n";
    }
    return status;
}

}  // namespace gate::ctl
