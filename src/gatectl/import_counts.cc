#include "gatectl/import_counts.h"

#include "base/json_object.h"

namespace gate::ctl {

void print_counts(const Arguments& arguments, Io& io, const ImportCounts& counts) {
    if (!arguments.has("json")) {
        io.out << counts.added << " added, " << counts.replaced << " replaced, " << counts.kept
               << " unchanged\n";
        return;
    }
    JsonObject object;
    object.number("added", static_cast<std::int64_t>(counts.added));
    object.number("replaced", static_cast<std::int64_t>(counts.replaced));
    object.number("unchanged", static_cast<std::int64_t>(counts.kept));
    io.out << object.str() << '\n';
}

}  // namespace gate::ctl
