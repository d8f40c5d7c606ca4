// The shared test vectors: where they are, how to read them, and how many of each file ran.
#pragma once

#include <jansson.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace gate::test {

// $GATE_VECTORS, or ../shared/vectors below the project's root.
std::string vectors_dir();

// Lenient JSON of a test file; missing members read as absent values, never as a crash.
class Json {
public:
    Json() = default;

    // A file of the vectors; absent when it cannot be read.
    static Json load(const std::string& file);
    static Json parse(std::string_view text);

    bool present() const { return json_ != nullptr; }
    std::size_t size() const;
    Json operator[](std::size_t index) const;
    Json operator[](const char* name) const;
    std::string text() const;
    long long number() const;
    std::string dump() const;
    Json without(const char* name) const;

private:
    explicit Json(json_t* borrowed);
    std::shared_ptr<json_t> json_;
};

// Prints "vectors: FILE ran N of M" when it dies.
class VectorCount {
public:
    VectorCount(std::string file, std::size_t held) : file_(std::move(file)), held_(held) {}
    VectorCount(const VectorCount&) = delete;
    VectorCount& operator=(const VectorCount&) = delete;
    ~VectorCount();

    void ran() { ++ran_; }
    void skipped(const std::string& why);

private:
    std::string file_;
    std::size_t held_;
    std::size_t ran_ = 0;
    std::size_t skipped_ = 0;
    std::string why_;
};

// Octets of padded standard base64.
ByteVector from_base64(std::string_view text);

}  // namespace gate::test

// Ends the test when the vectors are not there.
#define GATE_NEED_VECTORS(json) \
    if (!(json).present()) GTEST_SKIP() << "skipped: no vectors"
