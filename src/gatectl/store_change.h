// What commands that change a store of keys or revocations have in common, wherever it is kept.
#pragma once

#include <string>
#include <vector>

#include "gatectl/command.h"

namespace gate::ctl {

// Why a change is not made.
struct Refusal {
    std::string text;
    bool again = false;  // nothing has been done, and the same may succeed if it is tried again
};

// Of a change that is made.
struct Outcome {
    std::vector<std::string> notes;  // for people
    int status = kDone;              // kRefused: it is made, but did not reach as far as was asked
};

// What a change does where its file is missing.
enum class MissingFile { kRefuse, kCreate };

// Says the notes, and gives the status back.
int conclude(Io& io, const Outcome& outcome);

}  // namespace gate::ctl
