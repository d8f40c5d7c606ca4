// What Redis answers (RESP2), as a tree of its own memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gate::redis {

struct Reply {
    enum class Type : std::uint8_t { kNil, kStatus, kError, kInteger, kString, kArray };

    Type type = Type::kNil;
    std::int64_t integer = 0;
    std::string text;  // kStatus, kError, kString
    std::vector<Reply> items;

    bool is(Type wanted) const noexcept { return type == wanted; }
    bool is_status(std::string_view wanted) const noexcept {
        return type == Type::kStatus && text == wanted;
    }
};

// What an error reply says, by its first word.
enum class ErrorKind : std::uint8_t {
    kAuthentication,  // NOAUTH, WRONGPASS, and ERR for a wrong one or where none is set
    kPermission,      // NOPERM
    kLoading,         // LOADING
    kReadOnly,        // READONLY
    kMasterDown,      // MASTERDOWN
    kMoved,           // MOVED
    kAsk,             // ASK
    kTryAgain,        // TRYAGAIN
    kClusterDown,     // CLUSTERDOWN
    kOutOfMemory,     // OOM
    kMisconfigured,   // MISCONF, NOREPLICAS
    kBusy,            // BUSY
    kWrongType,       // WRONGTYPE
    kOther,
};
ErrorKind error_kind(std::string_view error) noexcept;

}  // namespace gate::redis
