// A journal as a store of revocations.
#pragma once

#include <string>

#include "gatectl/revocation_store.h"

namespace gate::ctl {

class JournalStore final : public RevocationStore {
public:
    explicit JournalStore(std::string path) : path_(std::move(path)) {}

    bool tells_written() const noexcept override { return true; }
    std::string_view noun() const noexcept override { return "line"; }
    std::string size_problem(const cache::JournalEntry& entry) const override;
    Result<Outcome, std::string> add(const cache::JournalEntry& entry) override;
    Result<std::vector<Damage>, std::string> read(const Visit& visit) override;
    Result<std::vector<Damage>, std::string> check(const Visit& visit) override;
    std::string_view consequence() const noexcept override { return "nginx refuses such a file"; }
    Result<Compacted, std::string> compact(Seconds now) override;

private:
    std::string path_;
};

}  // namespace gate::ctl
