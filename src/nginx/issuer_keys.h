// The keys of an issuer, from the texts of its files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jose/issuer.h"
#include "jose/key_set.h"
#include "nginx/live.h"

namespace gate::nginx {

struct IssuerKeys {
    std::shared_ptr<const jose::KeySet> keys;
    std::vector<std::string> notes;  // what was skipped, for warnings
};

// All of them, or which file cannot be used and why; also where no key signs for an issuer that
// makes tokens.
Result<IssuerKeys, LoadFailure> build_keys(const jose::Issuer& issuer,
                                           const std::vector<SourceFile>& files);

}  // namespace gate::nginx
