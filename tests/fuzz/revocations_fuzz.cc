// Sequences of operations on a small revocation set, beside a plain map. First octet: buckets. Then
// four octets an operation: what, which item, when issued, when it expires.
#include <algorithm>
#include <map>
#include <vector>

#include "cache/revocations.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate::cache;
using Put = Revocations::Put;

struct Times {
    std::uint32_t issued_until;
    std::uint32_t expires;
};

bool gone(std::uint32_t expires, std::uint32_t now) {
    return expires != kNeverForgotten && expires <= now;
}

// Some items have the same high half, and so the same buckets and tag.
RevocationDigest digest_of(std::uint8_t item) {
    const std::uint64_t high = item % 4 == 0 ? 0x1234567812345600 : (item + 1) * 0x9e3779b97f4a7c15;
    return {high, item};
}

class Run {
public:
    explicit Run(std::size_t buckets)
        : memory_(Revocations::size_for(buckets) / 64), set_(std::as_writable_bytes(span())) {
        GATE_INVARIANT(set_.buckets() == buckets);
    }

    void act(std::uint8_t what, std::uint8_t item, std::uint8_t issued, std::uint8_t expires) {
        switch (what % 4) {
            case 0:
            case 1:
                put({digest_of(item), issued == 255 ? kEveryInstant : issued,
                     expires == 255 ? kNeverForgotten : now_ - 4 + expires % 64});
                break;
            case 2:
                now_ += item % 8;
                break;
            default:
                sweep(item);
        }
        look(item, issued);
    }

    void check_all() {
        for (unsigned item = 0; item < 256; ++item) look(static_cast<std::uint8_t>(item), 0);
        std::size_t count = 0;
        Revocations larger(std::as_writable_bytes(copy_span()));
        set_.each([&](const RevocationEntry& entry) {
            ++count;
            if (!gone(entry.expires, now_)) {
                GATE_INVARIANT(larger.put(entry, now_) == Put::kAdded);
                GATE_INVARIANT(larger.revoked(entry.digest, entry.issued_until, now_));
            }
        });
        GATE_INVARIANT(count == set_.size());
    }

private:
    struct alignas(64) Line {
        unsigned char octets[64] = {};
    };
    std::span<Line> span() { return memory_; }
    std::span<Line> copy_span() {
        copy_.assign(Revocations::size_for(256) / 64, Line());
        return copy_;
    }

    void put(const RevocationEntry& entry) {
        const std::uint64_t changes = set_.changes();
        const bool before = model_revoked(entry.digest, entry.issued_until);
        const Put done = set_.put(entry, now_);
        if (done == Put::kFull) {
            GATE_INVARIANT(set_.overflowed());
            return;
        }
        if (gone(entry.expires, now_)) {
            GATE_INVARIANT(done == Put::kKnown);
            return;
        }
        const auto [at, added] =
            model_.try_emplace(entry.digest.low, Times{entry.issued_until, entry.expires});
        GATE_INVARIANT(done == Put::kAdded || !added);
        if (gone(at->second.expires, now_)) at->second = {entry.issued_until, entry.expires};
        at->second.issued_until = std::max(at->second.issued_until, entry.issued_until);
        at->second.expires = std::max(at->second.expires, entry.expires);
        if (!before) GATE_INVARIANT(set_.changes() > changes);
    }

    void sweep(std::uint8_t slice) {
        std::size_t bucket = 0;
        do bucket = set_.sweep(bucket, 1 + slice % 4U, now_);
        while (bucket != 0);
        std::erase_if(model_, [this](const auto& e) { return gone(e.second.expires, now_); });
        GATE_INVARIANT(set_.size() == model_.size());
    }

    bool model_revoked(const RevocationDigest& digest, std::uint32_t issued) const {
        const auto found = model_.find(digest.low);
        return found != model_.end() && !gone(found->second.expires, now_) &&
               issued <= found->second.issued_until;
    }

    void look(std::uint8_t item, std::uint32_t issued) const {
        const RevocationDigest digest = digest_of(item);
        const bool wanted = model_revoked(digest, issued);
        GATE_INVARIANT(set_.revoked(digest, issued, now_) == wanted);
        if (wanted) GATE_INVARIANT(set_.may_hold(digest.high, issued, now_));
    }

    std::vector<Line> memory_;
    std::vector<Line> copy_;
    Revocations set_;
    std::map<std::uint64_t, Times> model_;
    std::uint32_t now_ = 100;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Run run(1 + data[0] % 12);
    for (std::size_t i = 1; i + 4 <= size; i += 4) {
        run.act(data[i], data[i + 1], data[i + 2], data[i + 3]);
    }
    run.check_all();
    return 0;
}
