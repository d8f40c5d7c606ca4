// Lists of texts as one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gate {

// "a, b"; `otherwise` for no element.
inline std::string joined(const std::vector<std::string>& elements,
                          std::string_view separator = ", ", std::string_view otherwise = "-") {
    if (elements.empty()) return std::string(otherwise);
    std::string text = elements.front();
    for (std::size_t i = 1; i < elements.size(); ++i) text.append(separator).append(elements[i]);
    return text;
}

}  // namespace gate
