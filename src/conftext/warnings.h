// What directives of other modules do to the gate: found by reading nginx.conf as text, because
// their configuration is private to them. Advice only, nothing here decides a request.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conftext/tree.h"

namespace gate::conftext {

struct Warning {
    std::string file;
    std::size_t line = 0;
    std::string text;  // directive, value and remedy, without the place
};

// In the order of the lines as read, none twice. Nothing where the configuration cannot be read.
std::vector<Warning> check(const std::string& main_file, const Files& files);

}  // namespace gate::conftext
