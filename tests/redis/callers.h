// Callers of a Pipeline that write down what they are told.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "redis/pipeline.h"
#include "tests/redis/replies.h"

namespace gate::redis::test {

inline std::string name_of(LinkFailure failure) {
    switch (failure) {
        case LinkFailure::kClosed:
            return "closed";
        case LinkFailure::kTimeout:
            return "timeout";
        case LinkFailure::kProtocol:
            return "protocol";
        case LinkFailure::kOverflow:
            break;
    }
    return "overflow";
}

// Adds "name: replies;" or "name! failure;" to a log, then does what the test wants.
class Recorder : public Caller {
public:
    Recorder(std::string name, std::string& log) : name_(std::move(name)), log_(log) {}

    void answered(std::vector<Reply> replies) override {
        log_ += name_ + ":";
        for (const Reply& reply : replies) {
            const std::string octets = encode(reply);
            log_ += " " + octets.substr(0, octets.size() - 2);
        }
        done();
    }

    void failed(LinkFailure failure) override {
        log_ += name_ + "! " + name_of(failure);
        done();
    }

    std::function<void()> then;

private:
    void done() {
        log_ += ";";
        // Once: what it does may bring the next call.
        if (const auto next = std::exchange(then, nullptr)) next();
    }

    std::string name_;
    std::string& log_;
};

// Everything that is to be written goes out.
inline void write_all(Pipeline& pipeline) {
    pipeline.wrote(pipeline.output().size());
}

}  // namespace gate::redis::test
