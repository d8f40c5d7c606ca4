// What watched files feed: the keys of issuers, the records of key stores, role maps. Loaded once
// by the master while it reads the configuration; each worker's timer replaces them in its own
// memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apikey/key_table.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_text.h"
#include "crypto/digest.h"
#include "jose/issuer.h"
#include "jose/key_set.h"
#include "nginx/redis_conf.h"
#include "policy/engine.h"
#include "policy/record_cache.h"
#include "policy/reply_template.h"
#include "policy/roles.h"
#include "users/user_table.h"

namespace gate::nginx {

// What tells one state of a file from another without reading it; times in nanoseconds.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified = 0;
    std::int64_t changed = 0;
    bool operator==(const FileStamp&) const = default;
};

// One file that a block names.
struct SourceFile {
    enum class Kind : std::uint8_t { kJwks, kPem, kSecret, kKeys, kPepper, kRoles, kUsers };
    Kind kind = Kind::kJwks;
    std::string path;     // complete
    std::string kid;      // kPem, kSecret
    crypto::AlgSet algs;  // kPem, kSecret: alg=; empty: all the key can
    SecretEncoding encoding = SecretEncoding::kText;
    std::string where;              // "nginx.conf:12"
    bool start_value_only = false;  // the workers' user cannot read it

    // As last taken over. The text is kept because the files of a block change one by one; it is
    // nullptr for kKeys, kRoles and kUsers, whose parsed form is all there is, and for a withdrawn
    // file of an issuer.
    FileStamp stamp;
    crypto::Digest256 digest{};
    std::shared_ptr<const Secret> text;
};

struct LiveRoles {
    std::string name;
    std::vector<SourceFile> files;  // one, or none for an inline map
    std::shared_ptr<const policy::RoleMap> map;
    std::string where;
};

struct LiveIssuer {
    jose::Issuer issuer;
    policy::TrustedIssuer trusted;  // keys, roles and epoch as loaded now
    // "claim" lines: what its own tokens say of a user; nullptr: scope, roles and groups.
    std::shared_ptr<const policy::ReplyTemplate> claims;
    Seconds expired_grace = 0;  // what some gate_refresh accepts beyond "exp"
    std::vector<SourceFile> files;
    std::string roles_name;
    const LiveRoles* roles = nullptr;
    std::string where;
};

struct LiveStore {
    policy::KeyStore store;         // peppers and roles as loaded now
    std::vector<SourceFile> files;  // the key file if it has one, then the pepper files in order
    std::shared_ptr<const apikey::KeyTable> table;
    std::string redis_name;                       // where it has no key file
    const RedisConf* redis = nullptr;             // of that name
    policy::RecordLife life;                      // of what Redis says
    const cache::StreamState* changes = nullptr;  // where they are followed
    std::string roles_name;
    const LiveRoles* roles = nullptr;
    std::string where;
};

// A gate_users block.
struct LiveUsers {
    std::string name;
    std::vector<SourceFile> files;  // one
    std::shared_ptr<const users::UserTable> table;
    std::size_t hash_threads = 0;  // of each worker; 0: see hash_threads_of()
    std::size_t hash_queue = 256;
    std::string where;
};

// The stamp of the file at a path, or errno.
Result<FileStamp, int> stamp_of(const std::string& path);

// Which file of a block cannot be used and why, without its path.
struct LoadFailure {
    std::size_t file = 0;
    std::string text;
    bool unstable = false;  // it changed while it was read: try again later
    std::string where =
        {};  // of the line that no file of the block satisfies; "": `file` is at fault
};

// Read and parse all files of one block and put the result in place; on error nothing changes.
// `notes` receives what was skipped, for warnings.
Status<LoadFailure> load(LiveIssuer& issuer, std::vector<std::string>& notes);
Status<LoadFailure> load(LiveStore& store, std::vector<std::string>& notes);
Status<LoadFailure> load(LiveRoles& roles, std::vector<std::string>& notes);
Status<LoadFailure> load(LiveUsers& users, std::vector<std::string>& notes);

// One file of a block read anew, and what the block would hold with it. Made without touching the
// block, so that a thread may do it while the block serves requests.
struct Renewal {
    SourceFile file;
    bool same_text = false;  // as taken over before: only the stamp is new
    std::shared_ptr<const jose::KeySet> keys;
    std::shared_ptr<const apikey::KeyTable> table;
    std::shared_ptr<const policy::RoleMap> map;
    std::shared_ptr<const users::UserTable> users;
    std::vector<std::string> notes;
};

Result<Renewal, LoadFailure> renew(const LiveIssuer& issuer, std::size_t file);
Result<Renewal, LoadFailure> renew(const LiveStore& store, std::size_t file);
Result<Renewal, LoadFailure> renew(const LiveRoles& roles, std::size_t file);
Result<Renewal, LoadFailure> renew(const LiveUsers& users, std::size_t file);

// Puts a renewal of that file in place.
void take_over(LiveIssuer& issuer, std::size_t file, Renewal renewal);
void take_over(LiveStore& store, std::size_t file, Renewal renewal);
void take_over(LiveRoles& roles, std::size_t file, Renewal renewal);
void take_over(LiveUsers& users, std::size_t file, Renewal renewal);

// Nothing of the block is in force any more; of an issuer, until that file can be read again.
void withdraw(LiveIssuer& issuer, std::size_t file);
void withdraw(LiveStore& store);
void withdraw(LiveUsers& users);

}  // namespace gate::nginx
