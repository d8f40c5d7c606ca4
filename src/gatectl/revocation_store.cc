#include "gatectl/revocation_store.h"

#include "gatectl/journal_store.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_revocations.h"

namespace gate::ctl {

Result<std::unique_ptr<RevocationStore>, std::string> choose_revocation_store(
    const Arguments& arguments) {
    const auto path = arguments.value("file");
    auto options = redis_options(arguments, path.has_value());
    if (!options) return fail(options.error());
    if (*options) {
        return std::unique_ptr<RevocationStore>(
            std::make_unique<RedisRevocations>(**std::move(options)));
    }
    if (!path || path->empty()) {
        return fail(std::string(
            "--file is missing: the journal that gate_revocation names, or --redis ADDRESS"));
    }
    return std::unique_ptr<RevocationStore>(std::make_unique<JournalStore>(*path));
}

}  // namespace gate::ctl
