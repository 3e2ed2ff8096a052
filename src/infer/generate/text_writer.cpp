#include "infer/generate/text_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rootstock {

namespace {

constexpr float kBarred = -std::numeric_limits<float>::infinity();
constexpr int kPicksMax = 8;  // tokens tried before the sure way to the end is taken

SamplingOptions with_seed(SamplingOptions options, std::uint64_t number) {
    options.seed += number;
    return options;
}

}  // namespace

Result<void> check(const GenerateOptions& options) {
    if (options.tokens_max < 1) return fail(ErrorCode::invalid_argument, "tokens_max must be at least 1", "tokens_max");
    if (options.tokens_min < 0 || options.tokens_min > options.tokens_max)
        return fail(ErrorCode::invalid_argument, "tokens_min must be a number from 0 to tokens_max", "tokens_min");
    return check(options.sampling);
}

TextWriter::TextWriter(GenerateOptions options, std::uint64_t number, std::span<const std::int32_t> end_ids,
                       std::span<const std::int32_t> prompt, const Constraint* constraint)
    : options_(std::move(options)),
      ends_(end_ids.begin(), end_ids.end()),
      sampler_(with_seed(options_.sampling, number)),
      constraint_(constraint ? constraint->begin() : nullptr) {
    ends_.insert(ends_.end(), options_.stop_ids.begin(), options_.stop_ids.end());
    sampler_.see(prompt);
}

bool TextWriter::ends(std::int32_t id) const { return std::ranges::find(ends_, id) != ends_.end(); }

// The scores with those that may not come next barred; the model's own where everything may.
std::span<const float> TextWriter::allowed(std::span<const float> scores, TextScratch& scratch) {
    const bool too_early = static_cast<int>(ids_.size()) < options_.tokens_min;
    if (!constraint_ && !too_early) return scores;
    auto& own = scratch.scores;
    own.assign(scores.begin(), scores.end());
    if (constraint_) {
        scratch.allowed.assign((scores.size() + 63) / 64, 0);
        constraint_->mask(scratch.allowed);
        for (std::size_t id = 0; id < own.size(); ++id)
            if (!(scratch.allowed[id / 64] >> id % 64 & 1)) own[id] = kBarred;
    }
    if (!too_early) return own;
    const auto left = [](float score) { return std::isfinite(score); };
    const auto bar_ends = [&] {
        for (const auto id : ends_)
            if (id >= 0 && static_cast<std::size_t>(id) < own.size()) own[static_cast<std::size_t>(id)] = kBarred;
    };
    if (!constraint_) return bar_ends(), own;
    const auto before = own;  // a constraint whose text is complete may leave nothing but the end
    bar_ends();
    if (std::ranges::none_of(own, left)) own = before;
    return own;
}

// Under a constraint, a token after which the text can still be completed in the room that is left.
std::int32_t TextWriter::pick(std::span<const float> scores, int room, TextScratch& scratch) {
    if (!constraint_) return sampler_.pick(scores);
    const int left = std::min(options_.tokens_max - static_cast<int>(ids_.size()), room);
    const bool completable = constraint_->tokens_to_end() <= left;
    for (int picks = 0;; ++picks) {
        const auto out = picks < kPicksMax ? -1 : constraint_->way_out();
        const auto id = out >= 0 ? out : sampler_.pick(scores);
        if (!completable || ends(id) || constraint_->fits(id, left - 1)) return id;
        scratch.scores[static_cast<std::size_t>(id)] = kBarred;  // `scores` stand there under a constraint
    }
}

std::optional<std::int32_t> TextWriter::next(std::span<const float> scores, int room, TextScratch& scratch) {
    const auto id = pick(allowed(scores, scratch), room, scratch);
    sampler_.take(id);
    if (ends(id)) {
        finish_ = Finish::stop;
        return std::nullopt;
    }
    ids_.push_back(id);
    if (constraint_) constraint_->accept(id);
    if (constraint_ && constraint_->finished())
        finish_ = Finish::stop;
    else if (static_cast<int>(ids_.size()) >= options_.tokens_max || room <= 1)
        finish_ = Finish::length;
    return id;
}

}  // namespace rootstock
