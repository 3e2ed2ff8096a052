#include "infer/constrain/doors.h"

namespace rootstock {

CompiledConstraint compile_choices(std::span<const std::string> choices, SharedVocabulary vocabulary) {
    using namespace constrain;
    return compiled(std::move(vocabulary), [&](Rules& rules, Budget&) {
        if (choices.empty()) refuse(ErrorCode::invalid_argument, "the list of choices is empty", "constraint_invalid");
        std::size_t bytes = 0;
        std::vector<Part> parts;
        for (const auto& one : choices) {
            check_size(bytes += one.size() + 1, "the list of choices");
            if (find_invalid_utf8(one) != std::string_view::npos)
                refuse(ErrorCode::invalid_argument,
                       "choice " + std::to_string(parts.size()) + " is not valid UTF-8; convert it",
                       "constraint_invalid");
            parts.push_back(text(one));
        }
        rules.define(0, choice(std::move(parts)));
    });
}

}  // namespace rootstock
