#pragma once
// What is asked of the writer, and what comes back.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/base.h"
#include "infer/constrain/constraint.h"
#include "infer/generate/generate_options.h"
#include "native/native.h"

namespace rootstock {

struct WriteRequest {
    TenantId tenant{};                               // whose share of the machine it uses; empty: the house
    std::shared_ptr<const NativeAdapter> adapter{};  // null: the base alone
    std::vector<std::int32_t> prompt{};              // token ids, special tokens included; at least one
    int choices = 1;                                 // texts for this prompt, which is read once
    GenerateOptions options{};                       // choice c draws with seed + c
    int logprobs = -1;                               // tell each token's and the so many best ones' (0 to 20); -1: none
    std::shared_ptr<const Constraint> constraint{};  // null: anything may be written
    double deadline = 0;                             // monotonic_seconds; 0: none
    int weight = 1;                                  // share of the machine against other tenants
};

// Natural logarithms of the model's own probabilities: before penalties, temperature and constraint.
struct TokenChance {
    std::int32_t id = 0;
    float logprob = 0;
};

struct WrittenToken {
    int choice = 0;
    std::int32_t id = 0;
    float logprob = 0;             // when logprobs are asked for
    std::vector<TokenChance> top;  // the best first
};

// Hears each new token as it comes, on the inference thread: it must neither block nor throw. False: this choice needs
// no more (a stop text was found); it ends with Finish::stop.
using WriteListener = std::move_only_function<bool(const WrittenToken&)>;

struct WrittenChoice {
    std::vector<std::int32_t> ids;  // new tokens only, without the one that ended the text
    Finish finish = Finish::length;
};

struct WriteAnswer {
    std::vector<WrittenChoice> choices;
    std::int64_t prompt_tokens = 0;
    std::int64_t cached_tokens = 0;      // of these, taken from what an earlier prompt left
    std::int64_t completion_tokens = 0;  // ids of all choices
    std::int64_t compute_micros = 0;     // this request's part of its steps' time; parts of a step add up to it
};

using WriteDone = std::move_only_function<void(Result<WriteAnswer>)>;
using WriteTicket = std::uint64_t;

}  // namespace rootstock
