// What watched files feed: the keys of issuers, the records of key stores, role maps. Loaded once
// by the master while it reads the configuration; each worker's timer replaces them in its own
// memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apikey/key_table.h"
#include "base/result.h"
#include "jose/issuer.h"
#include "jose/key_set.h"
#include "policy/engine.h"
#include "policy/roles.h"

namespace gate::nginx {

enum class SecretEncoding : std::uint8_t { kText, kHex, kBase64 };

// One file that a block names.
struct SourceFile {
    enum class Kind : std::uint8_t { kJwks, kPem, kSecret, kKeys, kPepper, kRoles };
    Kind kind = Kind::kJwks;
    std::string path;     // complete
    std::string kid;      // kPem, kSecret
    crypto::AlgSet algs;  // kPem, kSecret: alg=; empty: all the key can
    SecretEncoding encoding = SecretEncoding::kText;
    std::string where;  // "nginx.conf:12"
};

struct LiveRoles {
    std::string name;
    std::vector<SourceFile> files;  // one, or none for an inline map
    std::shared_ptr<const policy::RoleMap> map;
    std::string where;
};

struct LiveIssuer {
    jose::Issuer issuer;
    std::vector<SourceFile> files;
    std::shared_ptr<const jose::KeySet> keys;  // nullptr until loaded
    std::string roles_name;
    const LiveRoles* roles = nullptr;
    std::string where;

    policy::TrustedIssuer trusted() const {
        return {&issuer, keys, roles != nullptr ? roles->map : nullptr};
    }
};

struct LiveStore {
    policy::KeyStore store;         // peppers and roles as loaded now
    std::vector<SourceFile> files;  // the key file, then the pepper files in order
    std::shared_ptr<const apikey::KeyTable> table;
    std::string roles_name;
    const LiveRoles* roles = nullptr;
    std::string where;
};

// The text of a file, at most `limit` octets. Errors are sentences without the path.
Result<std::string, std::string> read_file(const std::string& path, std::size_t limit);
inline constexpr std::size_t kMaxKeyFile = std::size_t{64} << 20;

// Read and parse all files of one block and put the result in place; on error (a sentence that
// names the file) nothing changes. `notes` receives what was skipped, for warnings.
Status<std::string> load(LiveIssuer& issuer, std::vector<std::string>& notes);
Status<std::string> load(LiveStore& store, std::vector<std::string>& notes);
Status<std::string> load(LiveRoles& roles, std::vector<std::string>& notes);

}  // namespace gate::nginx
