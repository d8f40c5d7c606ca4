// The runs of `gatectl revoke`, one file for each kind of them, and what they share.
#pragma once

#include <string>

#include "cache/journal.h"
#include "gatectl/command.h"

namespace gate::ctl {

// revoke_entry.cc
int run_revoke_jti(const Arguments& arguments, Io& io);
int run_revoke_subject(const Arguments& arguments, Io& io);
int run_revoke_session(const Arguments& arguments, Io& io);
int run_revoke_client(const Arguments& arguments, Io& io);
int run_revoke_key(const Arguments& arguments, Io& io);
int run_revoke_all(const Arguments& arguments, Io& io);
int run_revoke_token(const Arguments& arguments, Io& io);

// revoke_whole.cc
int run_revoke_list(const Arguments& arguments, Io& io);
int run_revoke_compact(const Arguments& arguments, Io& io);
int run_revoke_check(const Arguments& arguments, Io& io);

// An entry as a JSON object; "store" in place of "issuer" for a key, null for whenever and for
// ever; with "written" where that is known.
std::string journal_json(const cache::JournalEntry& entry, bool written);

// "whenever", or the instant; "never" or the instant.
std::string issued_until_text(const cache::JournalEntry& entry);
std::string expires_text(const cache::JournalEntry& entry);

}  // namespace gate::ctl
