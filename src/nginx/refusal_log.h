// One line in the error log for each refusal, without secrets.
#pragma once

#include <string>

#include "nginx/record.h"

namespace gate::nginx {

// At the location's gate_log_level: "auth: deny reason=exp_past src=header kind=jwt alg="RS256"
// kid="k1" tid=0123456789ab status=401 rule=nginx.conf:12 id=<request id>". Equal refusals of one
// address within a second are counted and summarised.
void log_refusal(Record& record);

// For exit_process: what was not summarised yet is lost.
void stop_summaries() noexcept;

// 12 hexadecimal digits that name a credential in logs without revealing it; "" for none.
std::string token_id(const MainConf& conf, std::string_view credential);

}  // namespace gate::nginx
