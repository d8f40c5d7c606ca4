#include "nginx/journal_reader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "nginx/clock.h"

namespace gate::nginx {

namespace {

constexpr std::size_t kChunk = 65536;
// Entries put while the zone's lock is held once: a few microseconds.
constexpr std::size_t kBatch = 32;

std::int64_t monotonic_microseconds() noexcept {
    return static_cast<std::int64_t>(monotonic_nanoseconds() / 1000);
}

bool is_alive(std::uint64_t process) noexcept {
    return kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH;
}

// One process at a time reads a journal; the place of one that died is free.
class Ownership {
public:
    explicit Ownership(cache::JournalState& state) noexcept : state_(state) {
        const auto self = static_cast<std::uint64_t>(getpid());
        std::uint64_t owner = 0;
        held_ = state_.owner.compare_exchange_strong(owner, self);
        if (!held_ && (owner == self || !is_alive(owner))) {
            held_ = state_.owner.compare_exchange_strong(owner, self);
        }
    }
    Ownership(const Ownership&) = delete;
    Ownership& operator=(const Ownership&) = delete;
    ~Ownership() {
        if (held_) state_.owner.store(0);
    }
    explicit operator bool() const noexcept { return held_; }

private:
    cache::JournalState& state_;
    bool held_;
};

}  // namespace

class JournalReader::File {
public:
    explicit File(const std::string& path)
        : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (!fd_ || fstat(fd_.get(), &status_) != 0) error_ = errno;
    }
    int error() const noexcept { return error_; }
    bool regular() const noexcept { return S_ISREG(status_.st_mode); }
    std::uint64_t device() const noexcept { return status_.st_dev; }
    std::uint64_t inode() const noexcept { return status_.st_ino; }
    std::uint64_t changed() const noexcept {
        return static_cast<std::uint64_t>(status_.st_ctim.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(status_.st_ctim.tv_nsec);
    }
    std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(status_.st_size); }
    ssize_t read_at(char* to, std::size_t size, std::uint64_t offset) const noexcept {
        return pread(fd_.get(), to, size, static_cast<off_t>(offset));
    }

private:
    Descriptor fd_;
    struct stat status_ {};
    int error_ = 0;
};

JournalReader::JournalReader(const JournalConf& conf, cache::Zone& zone)
    : conf_(conf), zone_(zone), state_(journal_state(zone, conf.path)) {}

std::uint64_t JournalReader::lines() const noexcept {
    return state_ != nullptr ? state_->line.load() : 0;
}

bool JournalReader::fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
}

JournalReader::Step JournalReader::step(std::int64_t budget) {
    problem_.clear();
    if (state_ == nullptr) {
        fail("the zone follows as many journals as it can");
        return Step::kProblem;
    }
    File file(conf_.path);
    if (file.error() == ENOENT && conf_.ours && state_->inode.load() == 0) {
        finish(0);  // nothing has been revoked yet
        return Step::kInStep;
    }
    if (file.error() != 0 || !file.regular()) {
        fail(file.error() != 0 ? std::generic_category().message(file.error())
                               : "it is no regular file");
        return Step::kProblem;
    }
    const bool same =
        state_->device.load() == file.device() && state_->inode.load() == file.inode();
    if (same && state_->offset.load() == file.size() && state_->changed.load() == file.changed()) {
        finish(file.changed());
        return Step::kInStep;
    }
    const Ownership owner(*state_);
    if (!owner) return Step::kElsewhere;
    if (!same || !continues(file)) {
        // Another file, or one that was cut: applying twice is harmless, leaving out is not.
        state_->offset.store(0);
        state_->line.store(0);
        state_->device.store(file.device());
        state_->inode.store(file.inode());
        full_ = false;
    }
    if (state_->offset.load() == file.size()) {
        finish(file.changed());
        return Step::kInStep;
    }
    return read(file, monotonic_microseconds() + budget);
}

JournalReader::Step JournalReader::read(File& file, std::int64_t deadline) {
    std::vector<char> buffer(kChunk);
    while (monotonic_microseconds() < deadline) {
        const std::uint64_t offset = state_->offset.load();
        const ssize_t got = file.read_at(buffer.data(), buffer.size(), offset);
        if (got < 0) {
            fail(std::generic_category().message(errno));
            return Step::kProblem;
        }
        const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
        if (text.find('\n') == std::string_view::npos) {
            if (text.size() >= cache::kMaxJournalLine) {
                fail("line " + std::to_string(lines() + 1) + " is too long");
                return Step::kProblem;
            }
            finish(0);
            return Step::kInStep;
        }
        std::size_t used = 0;
        while (monotonic_microseconds() < deadline) {
            const std::size_t before = used;
            const Batch batch = apply(text, used);
            state_->offset.store(offset + used);
            state_->tail.store(tail_of(file, offset + used));
            if (batch == Batch::kDamaged) return damaged_at(offset + used);
            if (batch == Batch::kBusy) return Step::kMore;
            if (used == before) break;
        }
    }
    return Step::kMore;
}

// Applies some whole lines of `text` behind `used`, which it moves.
JournalReader::Batch JournalReader::apply(std::string_view text, std::size_t& used) {
    std::array<cache::RevocationEntry, kBatch> entries;
    std::size_t count = 0;
    std::size_t lines = 0;
    std::size_t at = used;
    bool damaged = false;
    while (count < kBatch) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) break;
        const auto entry = cache::parse_journal_line(text.substr(at, end - at));
        if (!entry) {
            damaged = !fail("line " + std::to_string(this->lines() + lines + 1) +
                            " is damaged: " + entry.error());
            break;
        }
        entries[count++] = {
            digest_revocation(zone_.seed(), entry->kind, entry->issuer, entry->value),
            entry->issued_until, entry->expires};
        at = end + 1;
        ++lines;
    }
    const auto now = static_cast<std::uint32_t>(time(nullptr));
    if (count > 0) {
        const auto writer = zone_.try_write();
        if (!writer) return Batch::kBusy;
        for (std::size_t i = 0; i < count; ++i) {
            if (entries[i].expires <= now) continue;
            full_ =
                zone_.revocations.put(entries[i], now) == cache::Revocations::Put::kFull || full_;
        }
    }
    used = at;
    state_->line.fetch_add(lines);
    return damaged ? Batch::kDamaged : Batch::kDone;
}

void JournalReader::finish(std::uint64_t changed) {
    state_->changed.store(changed);
    state_->in_step.store(monotonic_milliseconds());
}

// A file system gives the number of a file that is gone to the next one: what stands before the
// place that was reached tells whether it is the same file still.
bool JournalReader::continues(const File& file) const {
    const std::uint64_t offset = state_->offset.load();
    return file.size() >= offset && state_->tail.load() == tail_of(file, offset);
}

// A keyed digest of the last octets before `offset`; 0 at the beginning.
std::uint64_t JournalReader::tail_of(const File& file, std::uint64_t offset) const {
    std::array<char, 64> last{};
    const std::size_t size = std::min<std::uint64_t>(offset, last.size());
    if (size == 0) return 0;
    const ssize_t got = file.read_at(last.data(), size, offset - size);
    if (got != static_cast<ssize_t>(size)) return 0;
    return siphash64(zone_.seed(), bytes_of({last.data(), size})) | 1;
}

// A line that somebody did not finish is cut off and another put in its place: a reader may see
// some of both. Damage is what stays.
JournalReader::Step JournalReader::damaged_at(std::uint64_t offset) {
    constexpr std::uint64_t kStays = 100;  // milliseconds
    const std::uint64_t now = monotonic_milliseconds();
    if (suspect_ != offset + 1) {
        suspect_ = offset + 1;
        suspect_since_ = now;
    }
    return now - suspect_since_ < kStays ? Step::kMore : Step::kProblem;
}

cache::JournalState* journal_state(cache::Zone& zone, const std::string& path) noexcept {
    const std::uint64_t wanted = siphash64(zone.seed(), bytes_of(path)) | 1;
    for (cache::JournalState& state : zone.journals()) {
        std::uint64_t found = 0;
        if (state.path_digest.compare_exchange_strong(found, wanted) || found == wanted) {
            return &state;
        }
    }
    return nullptr;
}

}  // namespace gate::nginx
