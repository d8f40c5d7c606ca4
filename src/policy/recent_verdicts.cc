#include "policy/recent_verdicts.h"

#include <utility>

#include "base/bytes.h"

namespace gate::policy {

namespace {

// Keeps the room. Behind the text stands nothing of a longer one: that was wiped when it went.
void wipe_text(std::string& text) noexcept {
    wipe(text.data(), text.size());
    text.clear();
}

// Whether two verdicts on one text differ in no more than when it was last seen to be clean.
bool is_same_identity(VerdictWords a, const VerdictWords& b) noexcept {
    a[kCleanAtWord] = b[kCleanAtWord];
    return a == b;
}

}  // namespace

RecentVerdicts::~RecentVerdicts() {
    for (Entry& entry : entries_) wipe_text(entry.text);
}

const RecentVerdicts::Entry* RecentVerdicts::note(std::string_view text,
                                                  const cache::Fingerprint& fingerprint,
                                                  const VerdictWords& words, std::uint32_t now) {
    if (text.size() < sizeof(std::uint64_t) || text.size() > kMaxText) return nullptr;
    const std::uint64_t mark = mark_of(text);
    Entry& entry = entries_[place_of(mark)];
    if (entry.mark != mark) {
        entry.mark = mark;
        return nullptr;
    }
    // Should memory run out on the way, nothing stands here: no text ever has another's words.
    if (entry.text != text || !is_same_identity(entry.words, words)) {
        wipe_text(entry.text);
        entry.identity = nullptr;
        entry.key = {};
        entry.identity = make_local<SharedPrincipal>(words);
        entry.text.assign(text);
    }
    entry.fingerprint = fingerprint;
    entry.words = words;
    entry.read_at = now;
    return &entry;
}

void RecentVerdicts::note_key(std::string_view text, GoodKey key) noexcept {
    const Entry* const known = find(text);
    if (known != nullptr)
        entries_[static_cast<std::size_t>(known - entries_.data())].key = std::move(key);
}

void RecentVerdicts::sweep(std::uint32_t now) noexcept {
    for (Entry& entry : entries_) {
        if (entry.text.empty() || now - entry.read_at <= kIdle) continue;
        wipe_text(entry.text);
        entry.identity = nullptr;
        entry.key = {};
        entry.mark = 0;
    }
}

}  // namespace gate::policy
