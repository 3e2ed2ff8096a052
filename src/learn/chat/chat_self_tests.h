#pragma once
// What a tuned language model says in a few places, so that whoever loads the adapter can ask again.

#include <vector>

#include "data/data.h"
#include "model/model.h"

namespace rootstock {

// Of some rows (indices into `rows`): the text, its tokens, and where the first learned word stands the likeliest words
// with their logits, as the fp32 reference gives them. Rows are cut so that asking stays cheap.
Result<std::vector<SelfTest>> answer_chat_self_tests(const Model& model, const Adapter& adapter,
                                                     const std::vector<TokenRow>& rows,
                                                     const std::vector<std::size_t>& from);

}  // namespace rootstock
