// `gatectl jws-check`: judges tokens for other programs, one JSON object a line in and out, by the
// code that the module runs.
#pragma once

#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"
#include "jose/key_set.h"

namespace gate::ctl {

class JwsChecker {
public:
    // `now` is the clock of requests that carry none.
    explicit JwsChecker(Seconds now) : now_(now) {}

    // The answer to one line, without a newline. A line that is no request is answered with
    // "reject" and an additional member "error".
    std::string answer(std::string_view line);

    // Whether some line was no request.
    bool misused() const noexcept { return misused_; }

private:
    struct Malformed {
        Reason reason;
        std::string text;
    };
    Result<Reason, Malformed> judge(jose::Value request);
    Reason judge_token(jose::Value request, std::string_view token, std::string_view level,
                       Seconds now);
    Result<const jose::KeySet*, Reason> keys_of(jose::Value jwks);

    Seconds now_;
    bool misused_ = false;
    // Requests often come in runs with one key set.
    std::string jwks_text_;
    jose::KeySet keys_;
    Reason keys_failure_ = Reason::kJwksBad;
};

}  // namespace gate::ctl
