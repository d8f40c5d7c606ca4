// Regular expressions of requirements, on PCRE2.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstdint>

#include "policy/requirement.h"

namespace gate::policy {

namespace {

// Steps of backtracking and their nesting. An expression that needs more for one claim is a mistake
// of its author; without limits it could hold a worker for minutes.
constexpr std::uint32_t kMatchLimit = 100000;
constexpr std::uint32_t kDepthLimit = 10000;
constexpr std::uint32_t kHeapLimitKib = 4096;
constexpr std::size_t kMaxSubject = 4096;  // the limits count anew at each offset of the subject

template <class T, void (*Free)(T*)>
struct Freed {
    void operator()(T* object) const noexcept { Free(object); }
};
using CodePtr = std::unique_ptr<pcre2_code, Freed<pcre2_code, pcre2_code_free>>;
using DataPtr = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data, pcre2_match_data_free>>;
using ContextPtr =
    std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context, pcre2_match_context_free>>;

}  // namespace

struct Pattern::Compiled {
    CodePtr code;
    ContextPtr context;
};

Result<Pattern, std::string> Pattern::compile(std::string_view expression) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    auto compiled = std::make_shared<Compiled>();
    compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()),
                                       expression.size(), PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                       nullptr));
    if (!compiled->code) {
        std::array<PCRE2_UCHAR, 256> message{};
        pcre2_get_error_message(error, message.data(), message.size());
        return fail(std::string(reinterpret_cast<const char*>(message.data())) + " at offset " +
                    std::to_string(offset));
    }
    compiled->context.reset(pcre2_match_context_create(nullptr));
    if (!compiled->context) return fail(std::string("out of memory"));
    pcre2_set_match_limit(compiled->context.get(), kMatchLimit);
    pcre2_set_depth_limit(compiled->context.get(), kDepthLimit);
    pcre2_set_heap_limit(compiled->context.get(), kHeapLimitKib);

    Pattern pattern;
    pattern.compiled_ = std::move(compiled);
    return pattern;
}

MatchResult Pattern::matches(std::string_view subject) const noexcept {
    if (!compiled_ || subject.size() > kMaxSubject) return MatchResult::kUndecided;
    const DataPtr data(pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
    if (!data) return MatchResult::kUndecided;
    const int rc = pcre2_match(compiled_->code.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()),
                               subject.size(), 0, 0, data.get(), compiled_->context.get());
    if (rc == PCRE2_ERROR_NOMATCH) return MatchResult::kNo;
    return rc < 0 ? MatchResult::kUndecided : MatchResult::kYes;
}

}  // namespace gate::policy
