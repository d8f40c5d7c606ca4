#include "gatectl/explain.h"

namespace gate::ctl {

std::string_view name_of(CheckOutcome outcome) noexcept {
    switch (outcome) {
        case CheckOutcome::kOk:
            return "ok";
        case CheckOutcome::kFailed:
            return "failed";
        case CheckOutcome::kNotReached:
            return "not reached";
        case CheckOutcome::kNotJudged:
            return "not judged";
    }
    return "";
}

}  // namespace gate::ctl
