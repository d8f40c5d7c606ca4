// Configuration files in memory for the tests of the plain text reader.
#pragma once

#include <fnmatch.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conftext/tree.h"

namespace gate::conftext {

inline Files memory_files(std::map<std::string, std::string> contents) {
    Files files;
    files.read = [contents](const std::string& path) -> std::optional<std::string> {
        const auto found = contents.find(path);
        if (found == contents.end()) return std::nullopt;
        return found->second;
    };
    files.glob = [contents](const std::string& pattern) {
        std::vector<std::string> paths;
        for (const auto& [path, text] : contents) {
            if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) paths.push_back(path);
        }
        return paths;
    };
    return files;
}

}  // namespace gate::conftext
