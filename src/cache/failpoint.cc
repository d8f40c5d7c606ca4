#include "cache/failpoint.h"

#if defined(GATE_FAILPOINTS)

namespace gate::cache {

FailpointHook failpoint_hook = nullptr;

}  // namespace gate::cache

#endif
