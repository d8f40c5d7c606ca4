// What commands print: aligned tables for people, JSON for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gate::ctl {

// One JSON object put together member by member.
class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, std::int64_t value);
    JsonObject& boolean(std::string_view name, bool value);
    // `json` is JSON already.
    JsonObject& raw(std::string_view name, std::string_view json);
    JsonObject& texts(std::string_view name, const std::vector<std::string>& values);
    std::string str() const { return text_ + "}"; }

private:
    std::string text_ = "{";
};

// "[a,b]" of elements that are JSON already.
std::string json_array(const std::vector<std::string>& elements);

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

// "a, b"; `otherwise` for no element.
std::string joined(const std::vector<std::string>& elements, std::string_view separator = ", ",
                   std::string_view otherwise = "-");

}  // namespace gate::ctl
