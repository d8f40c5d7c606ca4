#include "nginx/live.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/descriptor.h"
#include "base/json_text.h"
#include "nginx/issuer_keys.h"
#include "policy/epoch.h"
#include "users/password_hash.h"

namespace gate::nginx {

namespace {

using Kind = SourceFile::Kind;

constexpr std::size_t kMaxKeyFile = std::size_t{64} << 20;
constexpr std::size_t kMaxDocument = std::size_t{4} << 20;  // JWKS, role maps
constexpr std::size_t kMaxSecret = std::size_t{64} << 10;   // secrets, peppers, PEM

std::string reason_of(int error) {
    return std::generic_category().message(error);
}

FileStamp stamp_from(const struct stat& status) {
    const auto nanoseconds = [](const timespec& time) {
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    };
    return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

struct Reading {
    FileStamp stamp;
    std::string text;
};

std::size_t limit_of(Kind kind) {
    switch (kind) {
        case Kind::kKeys:
        case Kind::kUsers:
            return kMaxKeyFile;
        case Kind::kJwks:
        case Kind::kRoles:
            return kMaxDocument;
        case Kind::kPem:
        case Kind::kSecret:
        case Kind::kPepper:
            return kMaxSecret;
    }
    return kMaxSecret;
}

Result<Reading, LoadFailure> read_stable(const std::string& path, std::size_t limit) {
    // Not blocking: a FIFO in place of the file must not hang whoever opens it.
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat before {};
    if (fd.get() < 0 || fstat(fd.get(), &before) != 0)
        return fail(LoadFailure{0, reason_of(errno)});
    if (!S_ISREG(before.st_mode)) return fail(LoadFailure{0, "it is no regular file"});
    auto text = read_all(fd.get(), limit);
    if (!text) {
        const int error = errno;
        return fail(LoadFailure{
            0, error != 0 ? reason_of(error)
                          : "it is larger than " + std::to_string(limit >> 10) + " KiB"});
    }
    struct stat after {};
    const FileStamp stamp = stamp_from(before);
    if (fstat(fd.get(), &after) != 0 || stamp_from(after) != stamp ||
        static_cast<std::int64_t>(text->size()) != stamp.size) {
        return fail(LoadFailure{0, "it changed while it was read", true});
    }
    return Reading{stamp, std::move(*text)};
}

// Reads `file` and fills in its text and stamp; `raw` receives the text that is not kept.
Result<Done, LoadFailure> read_source(SourceFile& file, std::string& raw) {
    auto reading = read_stable(file.path, limit_of(file.kind));
    if (!reading) return fail(reading.error());
    file.stamp = reading->stamp;
    raw = std::move(reading->text);
    file.digest = crypto::sha256(bytes_of(raw));
    if (file.kind == Kind::kKeys || file.kind == Kind::kRoles || file.kind == Kind::kUsers) {
        return Done{};
    }
    const bool secret = file.kind == Kind::kSecret || file.kind == Kind::kPepper;
    if (!secret) {
        file.text = std::make_shared<const Secret>(bytes_of(raw));
        wipe(raw.data(), raw.size());
        return Done{};
    }
    auto decoded = decode_secret(raw, file.encoding);
    wipe(raw.data(), raw.size());
    if (!decoded) return fail(LoadFailure{0, "it " + decoded.error()});
    file.text = std::make_shared<const Secret>(std::move(*decoded));
    if (file.kind == Kind::kPepper && file.text->bytes().size() < apikey::kMinPepperSize) {
        return fail(LoadFailure{0, "a pepper of " + std::to_string(file.text->bytes().size()) +
                                       " octets is too short; at least " +
                                       std::to_string(apikey::kMinPepperSize) +
                                       " are needed: make one with \"gatectl secret new\""});
    }
    return Done{};
}

// Reads all files of a block into a copy. At start-up nobody retries later, so a file that is being
// written gets a few chances.
Result<std::vector<std::string>, LoadFailure> read_sources(std::vector<SourceFile>& files) {
    constexpr int kAttempts = 20;
    constexpr useconds_t kPause = 5000;  // microseconds
    std::vector<std::string> texts(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto read = read_source(files[i], texts[i]);
        for (int attempt = 1; !read && read.error().unstable && attempt < kAttempts; ++attempt) {
            usleep(kPause);
            read = read_source(files[i], texts[i]);
        }
        if (!read) return fail(LoadFailure{i, read.error().text, read.error().unstable});
    }
    return texts;
}

template <class T>
Result<std::shared_ptr<const T>, LoadFailure> parse(const std::string& text) {
    auto parsed = T::parse(text);
    if (!parsed) return fail(LoadFailure{0, parsed.error()});
    return std::shared_ptr<const T>(std::make_shared<const T>(std::move(*parsed)));
}

// The beginning of every renewal: the file read, and whether it still says the same.
Result<Renewal, LoadFailure> reread(const SourceFile& file, std::string& raw) {
    Renewal renewal;
    renewal.file = file;
    const auto read = read_source(renewal.file, raw);
    if (!read) return fail(read.error());
    renewal.same_text = renewal.file.digest == file.digest;
    return renewal;
}

// What the keys of a block are made of; other keys have another text.
std::string key_text(const std::vector<SourceFile>& files) {
    std::string text;
    for (const SourceFile& file : files) {
        text += std::to_string(static_cast<int>(file.kind)) + ' ' + to_hex(file.digest) + ' ' +
                file.algs.names() + ' ' + file.kid + '\n';
    }
    return text;
}

void put_in_force(LiveIssuer& issuer, std::shared_ptr<const jose::KeySet> keys) {
    issuer.trusted.issuer = &issuer.issuer;
    issuer.trusted.keys = std::move(keys);
    issuer.trusted.epoch = policy::epoch_of(issuer.issuer, key_text(issuer.files));
}

std::vector<std::shared_ptr<const Secret>> peppers_of(const std::vector<SourceFile>& files) {
    std::vector<std::shared_ptr<const Secret>> peppers;
    for (const SourceFile& file : files) {
        if (file.kind == Kind::kPepper) peppers.push_back(file.text);
    }
    return peppers;
}

// The peppers as loaded now; the records are, or are about to be.
void put_in_force(LiveStore& live) {
    policy::KeyStore& store = live.store;
    store.peppers = peppers_of(live.files);
    std::string rules = store.format.prefix + (store.format.checksum ? " checked " : " ") +
                        (store.digest == apikey::DigestKind::kSha256 ? "sha256" : "hmac-sha256");
    for (const SourceFile& file : live.files) {
        if (file.kind == Kind::kPepper) rules += ' ' + to_hex(file.digest);
    }
    if (live.redis != nullptr) rules += " redis " + live.redis->place;
    store.epoch = policy::epoch_of_store(store.name, rules);
    static std::uint64_t states = 0;
    store.state = ++states;
}

// One sentence for all of them: an old file may have many.
void note_weak_hashes(const users::UserTable& table, std::vector<std::string>& notes) {
    const auto weak = [](const auto& user) { return users::is_weak(user->password); };
    const auto count = std::ranges::count_if(table.users(), weak);
    if (count == 0) return;
    const users::User& first = **std::ranges::find_if(table.users(), weak);
    const std::string scheme(users::scheme_of(first.password));
    const std::string name = json_string(first.name);
    notes.push_back((count == 1 ? "has a weak hash (" + scheme + ") of user " + name
                                : "has weak hashes of " + std::to_string(count) +
                                      " users, the first (" + scheme + ") of " + name) +
                    "; set new passwords with \"gatectl user passwd\" or \"htpasswd -B\"");
}

}  // namespace

Result<FileStamp, int> stamp_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return fail(errno);
    return stamp_from(status);
}

Result<std::shared_ptr<const Secret>, std::string> read_password(const std::string& path) {
    auto reading = read_stable(path, kMaxSecret);
    if (!reading) return fail(reading.error().text);
    auto secret = decode_secret(reading->text, SecretEncoding::kText);
    wipe(reading->text.data(), reading->text.size());
    if (!secret) return fail("it " + secret.error());
    if (secret->empty()) return fail(std::string("it is empty"));
    return std::make_shared<const Secret>(std::move(*secret));
}

Status<LoadFailure> load(LiveIssuer& issuer, std::vector<std::string>& notes) {
    std::vector<SourceFile> files = issuer.files;
    if (auto texts = read_sources(files); !texts) return fail(texts.error());
    auto built = build_keys(issuer.issuer, files);
    if (!built) return fail(built.error());
    issuer.files = std::move(files);
    put_in_force(issuer, std::move(built->keys));
    notes.insert(notes.end(), built->notes.begin(), built->notes.end());
    return Done{};
}

Status<LoadFailure> load(LiveStore& store, std::vector<std::string>& /*notes*/) {
    std::vector<SourceFile> files = store.files;
    auto texts = read_sources(files);
    if (!texts) return fail(texts.error());
    if (store.redis_name.empty()) {
        auto table = parse<apikey::KeyTable>(texts->front());
        if (!table) return fail(table.error());
        store.table = std::move(*table);
    }
    store.files = std::move(files);
    put_in_force(store);
    return Done{};
}

Status<LoadFailure> load(LiveRoles& roles, std::vector<std::string>& /*notes*/) {
    if (roles.files.empty()) return Done{};
    std::vector<SourceFile> files = roles.files;
    auto texts = read_sources(files);
    if (!texts) return fail(texts.error());
    auto map = parse<policy::RoleMap>(texts->front());
    if (!map) return fail(map.error());
    roles.files = std::move(files);
    roles.map = std::move(*map);
    return Done{};
}

Status<LoadFailure> load(LiveUsers& users, std::vector<std::string>& notes) {
    std::vector<SourceFile> files = users.files;
    auto texts = read_sources(files);
    if (!texts) return fail(texts.error());
    auto table = parse<users::UserTable>(texts->front());
    if (!table) return fail(table.error());
    users.files = std::move(files);
    users.table = std::move(*table);
    note_weak_hashes(*users.table, notes);
    return Done{};
}

Result<Renewal, LoadFailure> renew(const LiveIssuer& issuer, std::size_t file) {
    std::string raw;
    auto renewal = reread(issuer.files[file], raw);
    if (!renewal || renewal->same_text) return renewal;
    std::vector<SourceFile> files = issuer.files;
    files[file] = renewal->file;
    const auto unknown = [](const SourceFile& one) { return one.text == nullptr; };
    if (std::ranges::any_of(files, unknown)) return renewal;  // the last to come back counts
    auto built = build_keys(issuer.issuer, files);
    if (!built) {
        const LoadFailure& failure = built.error();
        const bool own = failure.file == file || !failure.where.empty();
        return fail(LoadFailure{
            file,
            own ? failure.text : "beside \"" + files[failure.file].path + "\": " + failure.text});
    }
    renewal->keys = std::move(built->keys);
    renewal->notes = std::move(built->notes);
    return renewal;
}

Result<Renewal, LoadFailure> renew(const LiveStore& store, std::size_t file) {
    std::string raw;
    auto renewal = reread(store.files[file], raw);
    if (!renewal || renewal->same_text || renewal->file.kind == Kind::kPepper) return renewal;
    auto table = parse<apikey::KeyTable>(raw);
    if (!table) return fail(table.error());
    renewal->table = std::move(*table);
    return renewal;
}

Result<Renewal, LoadFailure> renew(const LiveRoles& roles, std::size_t file) {
    std::string raw;
    auto renewal = reread(roles.files[file], raw);
    if (!renewal || renewal->same_text) return renewal;
    auto map = parse<policy::RoleMap>(raw);
    if (!map) return fail(map.error());
    renewal->map = std::move(*map);
    return renewal;
}

Result<Renewal, LoadFailure> renew(const LiveUsers& users, std::size_t file) {
    std::string raw;
    auto renewal = reread(users.files[file], raw);
    if (!renewal || renewal->same_text) return renewal;
    auto table = parse<users::UserTable>(raw);
    if (!table) return fail(table.error());
    renewal->users = std::move(*table);
    note_weak_hashes(*renewal->users, renewal->notes);
    return renewal;
}

void take_over(LiveIssuer& issuer, std::size_t file, Renewal renewal) {
    issuer.files[file] = std::move(renewal.file);
    if (renewal.keys) put_in_force(issuer, std::move(renewal.keys));
}

void take_over(LiveStore& store, std::size_t file, Renewal renewal) {
    store.files[file] = std::move(renewal.file);
    put_in_force(store);
    if (renewal.table) store.table = std::move(renewal.table);
}

void take_over(LiveRoles& roles, std::size_t file, Renewal renewal) {
    roles.files[file] = std::move(renewal.file);
    if (renewal.map) roles.map = std::move(renewal.map);
}

void take_over(LiveUsers& users, std::size_t file, Renewal renewal) {
    users.files[file] = std::move(renewal.file);
    if (renewal.users) users.table = std::move(renewal.users);
}

void withdraw(LiveIssuer& issuer, std::size_t file) {
    issuer.files[file].text = nullptr;
    issuer.trusted.keys = nullptr;
    issuer.trusted.epoch = 0;
}

void withdraw(LiveStore& store) {
    store.table = nullptr;
    store.store.state = 0;
}

void withdraw(LiveUsers& users) {
    users.table = nullptr;
}

}  // namespace gate::nginx
