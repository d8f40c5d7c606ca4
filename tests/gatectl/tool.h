// Runs gatectl inside the test's process, in a directory of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gatectl/command.h"
#include "jose/json.h"

namespace gate::ctl {

inline constexpr Seconds kTestNow = 1800000000;  // 2027-01-15T08:00:00Z

struct ToolResult {
    int status;
    std::string out;
    std::string err;

    // Standard output as one JSON object; absent members where it is none.
    jose::Document json() const {
        auto document = jose::Document::parse(out, {.depth = 32, .members = 256});
        return document ? *std::move(document) : jose::Document();
    }
};

inline ToolResult tool(const std::vector<std::string>& words, const std::string& input = "",
                       Seconds now = kTestNow) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Io io{in, out, err, now};
    const int status = run_tool(words, io);
    return {status, out.str(), err.str()};
}

class DirectoryTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "gatectl-test-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ + "/" + name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path(name), std::ios::binary).rdbuf();
        return text.str();
    }
    // Names in the directory.
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
            found.push_back(entry.path().filename().string());
        }
        std::sort(found.begin(), found.end());
        return found;
    }

private:
    std::string directory_;
};

}  // namespace gate::ctl
