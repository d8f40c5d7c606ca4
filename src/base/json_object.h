// JSON text put together member by member, for what programs read: reports, tables, answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gate {

// One object; names and values of any origin give valid JSON. No name may be added twice.
class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, std::int64_t value);
    JsonObject& boolean(std::string_view name, bool value);
    // `json` is JSON already.
    JsonObject& raw(std::string_view name, std::string_view json);
    // The members of another object, which is JSON already.
    JsonObject& members(std::string_view object);
    JsonObject& texts(std::string_view name, const std::vector<std::string>& values);
    std::string str() const { return text_ + "}"; }

private:
    std::string text_ = "{";
};

// "[a,b]" of elements that are JSON already.
std::string json_array(const std::vector<std::string>& elements);

}  // namespace gate
