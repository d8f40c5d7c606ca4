#include "redis/reply.h"

#include <utility>

namespace gate::redis {

namespace {

constexpr std::pair<std::string_view, ErrorKind> kWords[] = {
    {"NOAUTH", ErrorKind::kAuthentication},
    {"WRONGPASS", ErrorKind::kAuthentication},
    {"NOPERM", ErrorKind::kPermission},
    {"LOADING", ErrorKind::kLoading},
    {"READONLY", ErrorKind::kReadOnly},
    {"MASTERDOWN", ErrorKind::kMasterDown},
    {"MOVED", ErrorKind::kMoved},
    {"ASK", ErrorKind::kAsk},
    {"TRYAGAIN", ErrorKind::kTryAgain},
    {"CLUSTERDOWN", ErrorKind::kClusterDown},
    {"OOM", ErrorKind::kOutOfMemory},
    {"MISCONF", ErrorKind::kMisconfigured},
    {"NOREPLICAS", ErrorKind::kMisconfigured},
    {"BUSY", ErrorKind::kBusy},
    {"WRONGTYPE", ErrorKind::kWrongType},
};

// What servers say to a password without a word of its own: the first one in Redis 6 and later, the
// others before.
constexpr std::string_view kPasswordErrors[] = {
    "ERR AUTH <password> called without any password configured",
    "ERR Client sent AUTH, but no password is set",
    "ERR invalid password",
};

}  // namespace

ErrorKind error_kind(std::string_view error) noexcept {
    const std::string_view word = error.substr(0, error.find(' '));
    for (const auto& [known, kind] : kWords) {
        if (word == known) return kind;
    }
    for (const std::string_view begin : kPasswordErrors) {
        if (error.starts_with(begin)) return ErrorKind::kAuthentication;
    }
    return ErrorKind::kOther;
}

}  // namespace gate::redis
