// A list of checks that ends at the first one that fails.
#pragma once

#include <string>
#include <string_view>

#include "gatectl/explain.h"

namespace gate::ctl {

class CheckList {
public:
    explicit CheckList(Explanation& explanation) : explanation_(explanation) {}

    // Each check once, in order. After a failure every further one is "not reached".
    void passed(std::string_view name, std::string detail) {
        add(name, CheckOutcome::kOk, std::move(detail));
    }
    void not_judged(std::string_view name, std::string detail) {
        add(name, CheckOutcome::kNotJudged, std::move(detail));
    }
    void failed(std::string_view name, Reason reason, std::string detail) {
        if (!detail.empty()) detail += ": ";
        add(name, CheckOutcome::kFailed, detail + std::string(code(reason)));
        failed_ = true;
    }
    // One of the two, by `reason`.
    void judged(std::string_view name, Reason reason, std::string detail) {
        reason == Reason::kNone ? passed(name, std::move(detail))
                                : failed(name, reason, std::move(detail));
    }
    bool ended() const noexcept { return failed_; }

private:
    void add(std::string_view name, CheckOutcome outcome, std::string detail) {
        if (failed_) {
            outcome = CheckOutcome::kNotReached;
            detail.clear();
        }
        explanation_.checks.push_back({std::string(name), outcome, std::move(detail)});
    }

    Explanation& explanation_;
    bool failed_ = false;
};

}  // namespace gate::ctl
