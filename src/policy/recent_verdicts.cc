#include "policy/recent_verdicts.h"

#include "base/bytes.h"

namespace gate::policy {

namespace {

// Keeps the room. A longer text may have stood there before.
void wipe_text(std::string& text) noexcept {
    text.resize(text.capacity());
    wipe(text.data(), text.size());
    text.clear();
}

}  // namespace

RecentVerdicts::~RecentVerdicts() {
    for (Entry& entry : entries_) wipe_text(entry.text);
}

void RecentVerdicts::note(std::string_view text, const cache::Fingerprint& fingerprint,
                          const VerdictWords& words, std::uint32_t now) {
    if (text.size() < sizeof(std::uint64_t) || text.size() > kMaxText) return;
    const std::uint64_t mark = mark_of(text);
    Entry& entry = entries_[place_of(mark)];
    if (entry.mark != mark) {
        entry.mark = mark;
        return;
    }
    if (entry.text != text) {
        wipe_text(entry.text);
        entry.text.assign(text);
    }
    entry.fingerprint = fingerprint;
    entry.words = words;
    entry.read_at = now;
}

void RecentVerdicts::sweep(std::uint32_t now) noexcept {
    for (Entry& entry : entries_) {
        if (entry.text.empty() || now - entry.read_at <= kIdle) continue;
        wipe_text(entry.text);
        entry.mark = 0;
    }
}

}  // namespace gate::policy
