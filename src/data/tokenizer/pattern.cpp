#define PCRE2_CODE_UNIT_WIDTH 8
#include "data/tokenizer/pattern.h"

#include <pcre2.h>

#include <algorithm>

namespace rootstock {
namespace {

constexpr std::uint32_t match_limit = 50'000'000, depth_limit = 100'000, heap_limit_kib = 64 * 1024;
constexpr std::size_t jit_stack_min = 64 * 1024, jit_stack_max = 8 * 1024 * 1024;
constexpr std::size_t expression_bytes_max = 64 * 1024;

// What a thread needs to match: room for one result, and limits.
struct Matcher {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = pcre2_jit_stack_create(jit_stack_min, jit_stack_max, nullptr);

    Matcher() {
        ROOTSTOCK_CHECK(data && context && stack, "PCRE2 gets the memory it matches with");
        pcre2_set_match_limit(context, match_limit);
        pcre2_set_depth_limit(context, depth_limit);
        pcre2_set_heap_limit(context, heap_limit_kib);
        pcre2_jit_stack_assign(context, nullptr, stack);
    }
    ~Matcher() {
        pcre2_jit_stack_free(stack);
        pcre2_match_context_free(context);
        pcre2_match_data_free(data);
    }
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;
};

std::string message_of(int code) {
    PCRE2_UCHAR text[256] = {};
    pcre2_get_error_message(code, text, sizeof text);
    return reinterpret_cast<const char*>(text);
}

struct Compiled {
    std::shared_ptr<const void> code;
    bool jit = false;
    int error = 0;
    std::size_t error_at = 0;
};

Compiled compile_with(std::string_view expression, std::uint32_t options) {
    Compiled compiled;
    auto* context = pcre2_compile_context_create(nullptr);
    ROOTSTOCK_CHECK(context, "PCRE2 gets the memory it compiles with");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 100);
    PCRE2_SIZE at = 0;
    auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), options,
                               &compiled.error, &at, context);
    pcre2_compile_context_free(context);
    compiled.error_at = at;
    if (!code) return compiled;
    compiled.jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    compiled.code = std::shared_ptr<const void>(code, [](pcre2_code* one) { pcre2_code_free(one); });
    return compiled;
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view expression, std::string_view what) {
    auto prefix = std::string(what) + ": the pattern '" + std::string(expression.substr(0, 200)) + "' ";
    if (expression.size() > expression_bytes_max) return fail(ErrorCode::corrupt, prefix + "is longer than 64 KiB");
    auto translated = translate_pattern(expression);
    if (!translated) return fail(translated.error().code, prefix + translated.error().message);
    auto compiled = compile_with(*translated, PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
    if (!compiled.code)
        return fail(ErrorCode::corrupt, prefix + "cannot be compiled: " + message_of(compiled.error) + " at byte " +
                                            std::to_string(compiled.error_at));
    Pattern pattern;
    pattern.code_ = std::move(compiled.code);
    pattern.jit_ = compiled.jit;
    return pattern;
}

Result<Pattern> Pattern::literal(std::string_view text) {
    auto compiled = compile_with(text, PCRE2_UTF | PCRE2_LITERAL);
    if (!compiled.code) return fail(ErrorCode::corrupt, "cannot look for this text: " + message_of(compiled.error));
    Pattern pattern;
    pattern.code_ = std::move(compiled.code);
    pattern.jit_ = compiled.jit;
    return pattern;
}

std::optional<ByteSpan> Pattern::find(std::string_view text, std::size_t from) const {
    thread_local Matcher matcher;
    const auto* code = static_cast<const pcre2_code*>(code_.get());
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data() ? text.data() : "");
    int found = jit_ ? pcre2_jit_match(code, subject, text.size(), from, 0, matcher.data, matcher.context)
                     : pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, matcher.data, matcher.context);
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (found < 0)
        throw TokenizingFault{
            {ErrorCode::too_large,
             "a pattern of the tokenizer takes too much work on this text (" + message_of(found) + "); split the text",
             "", ""}};
    const auto* ends = pcre2_get_ovector_pointer(matcher.data);
    return byte_span(std::min(ends[0], ends[1]), ends[1]);
}

void join_stretches(std::span<const Stretch> stretches, SplitBehavior behavior, std::size_t shift,
                    std::vector<ByteSpan>& words) {
    auto first = words.size();
    auto add = [&](ByteSpan bytes) { words.push_back(byte_span(bytes.begin + shift, bytes.end + shift)); };
    bool before = false;  // whether the last stretch was a match
    if (behavior == SplitBehavior::merged_with_next) {
        for (auto one = stretches.rbegin(); one != stretches.rend(); ++one) {
            if (one->match && !before && words.size() > first)
                words.back().begin = static_cast<std::uint32_t>(one->bytes.begin + shift);
            else
                add(one->bytes);
            before = one->match;
        }
        std::reverse(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
    } else {
        for (const auto& one : stretches) {
            bool joins = (behavior == SplitBehavior::contiguous && one.match == before) ||
                         (behavior == SplitBehavior::merged_with_previous && one.match && !before);
            if (joins && words.size() > first)
                words.back().end = static_cast<std::uint32_t>(one.bytes.end + shift);
            else if (!(behavior == SplitBehavior::removed && one.match))
                add(one.bytes);
            before = one.match;
        }
    }
    auto empty = [](ByteSpan word) { return word.begin == word.end; };
    words.erase(std::remove_if(words.begin() + static_cast<std::ptrdiff_t>(first), words.end(), empty), words.end());
}

}  // namespace rootstock
