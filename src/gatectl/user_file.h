// User files in JSON (users/user_table.h) for the commands that read and change them.
#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gatectl/user_store.h"
#include "users/user_table.h"

namespace gate::ctl {

// Of a user file or one that htpasswd made. Errors are sentences with the path.
Result<users::UserTable, std::string> parse_users(const std::string& path, std::string_view text);

class FileUserStore final : public UserStore {
public:
    FileUserStore(std::string path, MissingFile missing)
        : path_(std::move(path)), missing_(missing) {}

    Result<UserListing, std::string> list() override;
    Result<UserPtr, std::string> find(std::string_view name) override;
    Result<Outcome, std::string> change(const Edit& edit) override;
    std::size_t at_once() const noexcept override {
        return std::numeric_limits<std::size_t>::max();
    }

private:
    std::string path_;
    MissingFile missing_;
};

}  // namespace gate::ctl
