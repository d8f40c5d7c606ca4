#include "gatectl/store_change.h"

namespace gate::ctl {

int conclude(Io& io, const Outcome& outcome) {
    for (const std::string& note : outcome.notes) io.err << "gatectl: " << note << '\n';
    return outcome.status;
}

}  // namespace gate::ctl
