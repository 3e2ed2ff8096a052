#include "infer/generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rootstock {

namespace {

Result<void> within(const char* field, double value, double low, double high) {
    if (value >= low && value <= high) return {};
    const auto text = [](double number) {
        auto digits = std::to_string(number);
        digits.erase(digits.find_last_not_of('0') + 1);
        if (digits.ends_with('.')) digits.pop_back();
        return digits;
    };
    return fail(ErrorCode::invalid_argument,
                std::string(field) + " must be a number from " + text(low) + " to " + text(high), field);
}

// The largest finite score, the first of equals. Several maxima side by side, so that they go through vectors.
std::int32_t best_of(std::span<const float> scores) {
    constexpr std::size_t kSideBySide = 64;
    constexpr float kLeast = -std::numeric_limits<float>::infinity(), kMost = std::numeric_limits<float>::infinity();
    float largest[kSideBySide];
    std::ranges::fill(largest, kLeast);
    const auto whole = scores.size() / kSideBySide * kSideBySide;
    for (std::size_t i = 0; i < whole; i += kSideBySide)
        for (std::size_t j = 0; j < kSideBySide; ++j) {
            const float score = scores[i + j] < kMost ? scores[i + j] : kLeast;
            largest[j] = score > largest[j] ? score : largest[j];
        }
    float best = *std::ranges::max_element(largest);
    for (const float score : scores.subspan(whole))
        if (score < kMost && score > best) best = score;
    ROOTSTOCK_CHECK(best > kLeast, "a model gives finite scores");
    return static_cast<std::int32_t>(std::ranges::find(scores, best) - scores.begin());
}

}  // namespace

Result<void> check(const SamplingOptions& options) {
    ROOTSTOCK_CHECKED(within("temperature", options.temperature, 0, 100));
    ROOTSTOCK_CHECKED(within("top_k", options.top_k, 0, 1 << 24));
    ROOTSTOCK_CHECKED(within("top_p", options.top_p, 0, 1));
    ROOTSTOCK_CHECKED(within("min_p", options.min_p, 0, 1));
    ROOTSTOCK_CHECKED(within("repetition_penalty", options.repetition_penalty, 0.01, 100));
    ROOTSTOCK_CHECKED(within("presence_penalty", options.presence_penalty, -100, 100));
    ROOTSTOCK_CHECKED(within("frequency_penalty", options.frequency_penalty, -100, 100));
    for (const auto& [id, bias] : options.logit_bias) ROOTSTOCK_CHECKED(within("logit_bias", bias, -1000, 1000));
    return {};
}

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)), random_(options_.seed) {}

void Sampler::see(std::span<const std::int32_t> prompt) {
    if (options_.repetition_penalty == 1) return;
    for (const auto id : prompt) seen_[id].anywhere = true;
}

std::int32_t Sampler::choose(std::span<const float> scores) {
    const auto id = pick(scores);
    take(id);
    return id;
}

void Sampler::take(std::int32_t id) {
    auto& seen = seen_[id];
    seen.anywhere = true;
    ++seen.in_answer;
}

double Sampler::adjusted(std::int32_t id, double score, const Seen& seen) const {
    if (seen.anywhere) score = score > 0 ? score / options_.repetition_penalty : score * options_.repetition_penalty;
    if (seen.in_answer > 0) score -= options_.presence_penalty + options_.frequency_penalty * seen.in_answer;
    const auto bias = options_.logit_bias.find(id);
    return bias == options_.logit_bias.end() ? score : score + bias->second;
}

std::int32_t Sampler::pick(std::span<const float> scores) {
    if (options_.temperature == 0 && changes_nothing()) return best_of(scores);
    candidates_.clear();
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isfinite(scores[i])) candidates_.push_back({static_cast<std::int32_t>(i), scores[i]});
    ROOTSTOCK_CHECK(!candidates_.empty(), "a model gives finite scores");
    // Only tokens that were seen or have a bias differ from their score.
    const bool whole = candidates_.size() == scores.size();
    const auto place = [&](std::int32_t id) {
        if (whole)
            return static_cast<std::size_t>(id) < scores.size() && id >= 0 ? &candidates_[static_cast<std::size_t>(id)]
                                                                           : nullptr;
        const auto found = std::ranges::lower_bound(candidates_, id, {}, &Candidate::id);
        return found != candidates_.end() && found->id == id ? &*found : nullptr;
    };
    for (const auto& [id, seen] : seen_)
        if (auto* candidate = place(id)) candidate->score = adjusted(id, candidate->score, seen);
    for (const auto& [id, bias] : options_.logit_bias)
        if (auto* candidate = place(id); candidate && !seen_.contains(id)) candidate->score += bias;
    if (options_.temperature == 0) return std::ranges::max_element(candidates_, {}, &Candidate::score)->id;
    for (auto& candidate : candidates_) candidate.score /= options_.temperature;
    keep_best();
    keep_probable();
    return draw();
}

bool Sampler::changes_nothing() const {
    return options_.repetition_penalty == 1 && options_.presence_penalty == 0 && options_.frequency_penalty == 0 &&
           options_.logit_bias.empty();
}

bool Sampler::before(const Candidate& a, const Candidate& b) {
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

void Sampler::keep_best() {
    if (options_.top_k == 0 || static_cast<std::size_t>(options_.top_k) >= candidates_.size()) return;
    std::ranges::nth_element(candidates_, candidates_.begin() + options_.top_k, before);
    candidates_.resize(static_cast<std::size_t>(options_.top_k));
}

// Scores become weights. Candidates are sorted a few at a time, for the limits seldom keep more than a few of a
// vocabulary.
void Sampler::keep_probable() {
    const double best = std::ranges::max_element(candidates_, {}, &Candidate::score)->score;
    double sum = 0;
    for (auto& candidate : candidates_) sum += candidate.score = std::exp(candidate.score - best);
    if (options_.top_p >= 1 && options_.min_p <= 0) return;
    constexpr std::size_t kAtOnce = 128;
    std::size_t kept = 0, sorted = 0;
    for (double mass = 0; kept < candidates_.size(); ++kept) {
        if (kept == sorted) {
            sorted = std::min(candidates_.size(), sorted + kAtOnce);
            std::partial_sort(candidates_.begin() + static_cast<std::ptrdiff_t>(kept),
                              candidates_.begin() + static_cast<std::ptrdiff_t>(sorted), candidates_.end(), before);
        }
        if (kept > 0 && (mass >= options_.top_p * sum || candidates_[kept].score < options_.min_p)) break;
        mass += candidates_[kept].score;
    }
    candidates_.resize(kept);
}

std::int32_t Sampler::draw() {
    double sum = 0;
    for (const auto& candidate : candidates_) sum += candidate.score;
    double left = random_.uniform() * sum;
    for (const auto& candidate : candidates_)
        if ((left -= candidate.score) < 0) return candidate.id;
    return candidates_.back().id;
}

}  // namespace rootstock
