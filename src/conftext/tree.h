// nginx.conf as a tree of directives with the place of each, included files put where they are
// included. Files come through callbacks; what cannot be read whole is not read at all, so that
// nobody judges half of a configuration.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gate::conftext {

struct Node {
    std::string name;
    std::vector<std::string> args;
    std::string file;
    std::size_t line = 0;  // of the name
    bool block = false;
    std::vector<Node> children;
};

struct Files {
    // The content of a file, nothing where it cannot be read.
    std::function<std::optional<std::string>(const std::string& path)> read;
    // The files that match a pattern with '*', '?' or '[', sorted.
    std::function<std::vector<std::string>(const std::string& pattern)> glob;
};

inline constexpr std::size_t kMaxBytes = std::size_t{16} << 20;  // of all files together
inline constexpr std::size_t kMaxIncludeDepth = 32;
inline constexpr std::size_t kMaxBlockDepth = 64;

// The directives of `main_file`. Relative includes are looked up beside it, as nginx does. Nothing
// where a file cannot be read, is no nginx.conf, or a limit is exceeded.
std::optional<std::vector<Node>> read_tree(const std::string& main_file, const Files& files);

}  // namespace gate::conftext
