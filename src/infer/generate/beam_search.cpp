// Beam search as transformers' generate does it: each step takes the best continuations of all beams (twice as many as
// beams, or more); those that end become finished texts (if they are among the first `beams`), the first others go on.
// The search is over when no running beam can beat the worst of the finished texts, were it to end now.

#include <algorithm>
#include <cmath>

#include "infer/generate/generator.h"

namespace rootstock {

namespace {

struct Beam {
    std::vector<std::int32_t> ids;
    double score = 0;  // log-probability
    int sequence = -1;
};

struct Continuation {
    double score;
    std::size_t beam;
    std::int32_t id;
};

// The best finished texts, as many as there are beams.
class Finished {
public:
    explicit Finished(const BeamOptions& options) : options_(options) {}

    double rated(double score, std::size_t tokens) const {
        return score / std::pow(static_cast<double>(tokens), options_.length_penalty);
    }

    // `tokens` counts the token that ends the text, if one does.
    void add(const Beam& beam, std::size_t tokens, Finish finish) {
        texts_.push_back({beam.ids, finish, rated(beam.score, tokens)});
        std::ranges::stable_sort(texts_, std::greater<>(), &Generated::score);
        if (texts_.size() > static_cast<std::size_t>(options_.beams)) texts_.pop_back();
    }

    bool beats(double score, std::size_t tokens) const {
        return texts_.size() == static_cast<std::size_t>(options_.beams) && texts_.back().score >= rated(score, tokens);
    }

    const Generated& best() const { return texts_.front(); }

private:
    const BeamOptions& options_;
    std::vector<Generated> texts_;
};

double log_sum(std::span<const float> scores) {
    const double top = *std::ranges::max_element(scores);
    double sum = 0;
    for (const float score : scores) sum += std::exp(score - top);
    return top + std::log(sum);
}

std::vector<Continuation> best_continuations(const std::vector<Beam>& beams, const Logits& logits, std::size_t count) {
    std::vector<Continuation> all;
    for (std::size_t beam = 0; beam < beams.size(); ++beam) {
        const auto scores = logits.row(beam);
        const double norm = log_sum(scores);
        for (std::size_t id = 0; id < scores.size(); ++id)
            all.push_back({beams[beam].score + scores[id] - norm, beam, static_cast<std::int32_t>(id)});
    }
    count = std::min(count, all.size());
    const auto better = [](const Continuation& a, const Continuation& b) { return a.score > b.score; };
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(count), better);
    all.resize(count);
    return all;
}

// Closes the sequences of its beams.
struct Beams {
    explicit Beams(Cache& of) : cache(of) {}
    ~Beams() { close(); }
    Beams(const Beams&) = delete;
    Beams& operator=(const Beams&) = delete;
    void close() {
        for (const auto& beam : all) cache.close(beam.sequence);
        all.clear();
    }
    Cache& cache;
    std::vector<Beam> all;
};

}  // namespace

Result<Generated> Generator::search(std::span<const std::int32_t> prompt, const BeamOptions& options,
                                    const NativeAdapter* adapter) {
    if (options.beams < 1 || options.beams > 64)
        return fail(ErrorCode::invalid_argument, "beams must be a number from 1 to 64", "beams");
    if (options.tokens_max < 1) return fail(ErrorCode::invalid_argument, "tokens_max must be at least 1", "tokens_max");
    Sequences first(cache_);
    const std::vector<std::int32_t> text(prompt.begin(), prompt.end());
    const std::vector<const NativeAdapter*> one{adapter};
    ROOTSTOCK_TRY(batch, begin({&text, 1}, one, first));
    ROOTSTOCK_TRY(begun, executor_.extend(cache_, batch, first.all(), one));
    auto logits = begun;
    Beams running(cache_), next(cache_);
    running.all.push_back(Beam{{}, 0, cache_.fork(first[0])});
    Finished finished(options);
    const auto beams = static_cast<std::size_t>(options.beams);
    const auto choices_each = std::max<std::size_t>(2, 1 + model_->spec().end_ids.size());  // so that enough go on
    for (int length = 1; length <= options.tokens_max; ++length) {
        const auto tokens = static_cast<std::size_t>(length);
        const auto choices = best_continuations(running.all, logits, choices_each * beams);
        for (std::size_t rank = 0; rank < choices.size() && next.all.size() < beams; ++rank) {
            const auto& choice = choices[rank];
            auto beam = running.all[choice.beam];
            beam.score = choice.score;
            if (ends(choice.id)) {
                if (rank < beams) finished.add(beam, tokens, Finish::stop);
                continue;
            }
            beam.ids.push_back(choice.id);
            beam.sequence = cache_.fork(beam.sequence);
            next.all.push_back(std::move(beam));
        }
        running.close();
        std::swap(running.all, next.all);
        if (running.all.empty() || finished.beats(choices.front().score, tokens)) return finished.best();
        if (length == options.tokens_max || cache_.length(running.all.front().sequence) >= model_->spec().positions_max)
            break;
        batch.clear();
        std::vector<int> sequences;
        for (const auto& beam : running.all) {
            batch.add_row({&beam.ids.back(), 1});
            sequences.push_back(beam.sequence);
        }
        const std::vector<const NativeAdapter*> adapters(running.all.size(), adapter);
        ROOTSTOCK_TRY(extended, executor_.extend(cache_, batch, sequences, adapters));
        logits = extended;
    }
    for (const auto& beam : running.all) finished.add(beam, beam.ids.size(), Finish::length);
    return finished.best();
}

}  // namespace rootstock
