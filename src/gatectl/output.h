// What commands print for people: aligned tables of printable text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_object.h"

namespace gate::ctl {

// Columns as wide as their widest cell, two spaces apart. Control characters in cells are escaped:
// names come from files that others write.
class Table {
public:
    explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    bool empty() const noexcept { return rows_.size() == 1; }
    std::string str() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

// `text` with control characters as \xHH: safe for a terminal.
std::string printable(std::string_view text);

}  // namespace gate::ctl
