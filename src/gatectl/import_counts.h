// What an import did, for keys and users alike.
#pragma once

#include <cstddef>

#include "gatectl/command.h"

namespace gate::ctl {

struct ImportCounts {
    std::size_t added = 0;
    std::size_t replaced = 0;
    std::size_t kept = 0;

    void add(const ImportCounts& part) noexcept {
        added += part.added;
        replaced += part.replaced;
        kept += part.kept;
    }
};

// As a line, or as JSON where `arguments` asks for that.
void print_counts(const Arguments& arguments, Io& io, const ImportCounts& counts);

}  // namespace gate::ctl
