#pragma once
// From what a caller sends to the tokens that a model reads: the conversation through the model's template, texts and
// ids as they are. Internal to flow/generate.

#include "flow/generate.h"

namespace rootstock {

// invalid_argument (none, too many), too_long (more text than is read at all).
Result<void> check_prompts(const GenerateOrder& order, const GenerateLimits& limits);

std::size_t bytes_of(const GenerateOrder& order);

// One row per prompt, each at least one token. invalid_argument, unsupported (no chat template), those of the template.
Result<std::vector<std::vector<std::int32_t>>> prompt_rows(const GenerateOrder& order, const ServedModel& model,
                                                           Clock& clock);

// How many tokens a text behind a prompt of that length may have. too_long when there is no room for any.
Result<int> answer_room(const GenerateOrder& order, const GenerateLimits& limits, const ServedModel& model,
                        std::size_t prompt_tokens);

}  // namespace rootstock
