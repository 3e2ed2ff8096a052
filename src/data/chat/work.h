#pragma once
// The limits of one rendering, and what of them is spent. Everything a template does costs steps, and every byte
// it makes costs a part of one, so that no template from outside can hold a processor or fill the memory.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "data/chat/value.h"

namespace rootstock {

struct ChatLimits {
    std::size_t template_bytes_max = 256 * 1024;  // the template's own text
    std::size_t steps_max = 5'000'000;            // expressions evaluated, items visited, 16 bytes of text handled
    std::size_t output_bytes_max = 16 << 20;      // the rendered text, and any single text on the way
    int depth_max = 400;                          // expressions, blocks and macro calls inside each other
};

namespace chat {

class Work {
public:
    explicit Work(const ChatLimits& limits) : limits_(limits) {}

    // too_large when the steps are used up.
    Result<void> spend(std::size_t steps) {
        if (steps > limits_.steps_max - spent_)
            return fail(ErrorCode::too_large,
                        fmt::format("rendering takes more than {} steps; shorten the conversation or the template",
                                    limits_.steps_max),
                        "steps_max", "chat_template_limit");
        spent_ += steps;
        return {};
    }

    // Steps for handling so many bytes of text; too_large when they are more than one text may have.
    Result<void> handle(std::size_t bytes) {
        if (bytes > limits_.output_bytes_max)
            return fail(ErrorCode::too_large,
                        fmt::format("the text is larger than {} bytes; shorten the conversation or the template",
                                    limits_.output_bytes_max),
                        "output_bytes_max", "chat_template_limit");
        return spend(bytes / 16);
    }

    // A new text value, paid for.
    Result<Value> text(std::string made) {
        ROOTSTOCK_CHECKED(handle(made.size()));
        return Value(std::move(made));
    }

    // A new list, paid for.
    Result<Value> list(std::vector<Value> items, RowKind kind = RowKind::list) {
        ROOTSTOCK_CHECKED(spend(items.size()));
        return make_list(std::move(items), kind);
    }

    // Every call into something nested holds one of these; too_large when there are too many.
    Result<void> enter() {
        if (++depth_ > limits_.depth_max)
            return fail(ErrorCode::too_large,
                        fmt::format("the template nests deeper than {} levels; a macro may be calling itself for ever",
                                    limits_.depth_max),
                        "depth_max", "chat_template_limit");
        return {};
    }
    void leave() { --depth_; }

    const ChatLimits& limits() const { return limits_; }

private:
    ChatLimits limits_;
    std::size_t spent_ = 0;
    int depth_ = 0;
};

}  // namespace chat
}  // namespace rootstock
