// The terminal that the tool was started from, whatever its standard input is.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace gate::ctl {

class Terminal {
public:
    // The error is a sentence: there is none.
    static Result<Terminal, std::string> open();

    // A line that is typed behind `prompt` and not shown. The terminal shows again what is typed
    // however this ends: a signal that would end the tool does so afterwards.
    Result<Secret, std::string> read_hidden(std::string_view prompt) const;

private:
    explicit Terminal(Descriptor fd) : fd_(std::move(fd)) {}

    Descriptor fd_;
};

}  // namespace gate::ctl
