// Places where a test kills the process: one before each store that changes shared memory. A normal
// build has none of it.
#pragma once

#if defined(GATE_FAILPOINTS)

namespace gate::cache {

// Called with the place's name; the test build's main program (or the module's) decides.
using FailpointHook = void (*)(const char* name);
extern FailpointHook failpoint_hook;

}  // namespace gate::cache

#define GATE_FAILPOINT(name)                            \
    do {                                                \
        if (::gate::cache::failpoint_hook != nullptr) { \
            ::gate::cache::failpoint_hook(name);        \
        }                                               \
    } while (false)

#else

#define GATE_FAILPOINT(name) \
    do {                     \
    } while (false)

#endif
