#pragma once
// One text that is being written: which token comes next, and whether it ends the text.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "infer/constrain/constraint.h"
#include "infer/generate/generate_options.h"

namespace rootstock {

// Memory that texts of one thread share from step to step.
struct TextScratch {
    std::vector<float> scores;
    std::vector<std::uint64_t> allowed;
};

class TextWriter {
public:
    // `options` passed check(); draws with their seed + number. `end_ids` of the model.
    TextWriter(GenerateOptions options, std::uint64_t number, std::span<const std::int32_t> end_ids,
               std::span<const std::int32_t> prompt, const Constraint* constraint = nullptr);

    // Takes the next token from the model's scores. `room`: how many tokens the model can take at all from here. The
    // id, or nothing when a token ended the text. finish() is set when there will be no more.
    std::optional<std::int32_t> next(std::span<const float> scores, int room, TextScratch& scratch);

    void end(Finish finish) { finish_ = finish; }

    const std::vector<std::int32_t>& ids() const { return ids_; }
    std::vector<std::int32_t> take_ids() { return std::move(ids_); }
    const std::optional<Finish>& finish() const { return finish_; }

private:
    bool ends(std::int32_t id) const;
    std::span<const float> allowed(std::span<const float> scores, TextScratch& scratch);
    std::int32_t pick(std::span<const float> scores, int room, TextScratch& scratch);

    GenerateOptions options_;
    std::vector<std::int32_t> ends_;
    Sampler sampler_;
    std::unique_ptr<ConstraintState> constraint_;
    std::vector<std::int32_t> ids_;
    std::optional<Finish> finish_;
};

}  // namespace rootstock
