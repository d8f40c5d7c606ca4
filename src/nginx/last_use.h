// When API keys in Redis were last used: collected by each worker in its own memory and written in
// batches, never per request.
#pragma once

#include "apikey/record.h"
#include "nginx/live.h"

namespace gate::nginx {

// Notes that a key of the store was let in now. Cheap; a key that comes again within a batch is
// noted once.
void note_use(const LiveStore& live, const apikey::Record& record);

// For init_process and exit_process. What was not written yet when a worker ends is lost.
void start_last_use();
void stop_last_use() noexcept;

}  // namespace gate::nginx
