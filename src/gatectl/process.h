// Running another program and keeping what it says.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gate::ctl {

struct ProgramResult {
    int status;          // exit status; 128 + signal for a killed one
    std::string output;  // both streams
};

// Runs `words` (found in PATH if it has no slash) with one more environment variable and no input.
// Errors are sentences.
Result<ProgramResult, std::string> run_program(const std::vector<std::string>& words,
                                               const std::pair<std::string, std::string>& variable);

}  // namespace gate::ctl
