#include "flow/tuning/chat_measure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t step_tokens = 256;  // whose logits are held at once
constexpr std::size_t rows_max = 16;      // of a batch
constexpr int block_tokens = 64;

struct Sums {
    double loss = 0, right = 0, weight = 0;
};

double log_sum(std::span<const float> logits, float largest) {
    double sum = 0;
    for (float logit : logits) sum += std::exp(logit - largest);
    return largest + std::log(sum);
}

// What the logits behind each token of row.ids[first, ...) say of the word that follows.
void score(const TokenRow& row, std::size_t first, std::size_t count, const Logits& logits, std::size_t line,
           Sums& sums) {
    const auto width = logits.row(line).size() / count;
    for (std::size_t i = 0; i < count && first + i + 1 < row.ids.size(); ++i) {
        const double weight = row.weights[first + i + 1];
        if (weight == 0) continue;
        const auto said = logits.row(line).subspan(i * width, width);
        const auto likeliest = std::ranges::max_element(said);
        const auto word = static_cast<std::size_t>(row.ids[first + i + 1]);
        sums.loss += weight * (log_sum(said, *likeliest) - said[word]);
        sums.right += static_cast<std::size_t>(likeliest - said.begin()) == word ? weight : 0;
        sums.weight += weight;
    }
}

// Reads rows in a cache, a step of tokens at a time.
class Reader {
public:
    Reader(Executor& executor, Cache& cache, const NativeAdapter* adapter)
        : executor_(executor), cache_(cache), adapter_(adapter) {}

    // Rows that fit into one step together, or a single longer one.
    Result<void> read(std::span<const TokenRow> rows, const std::vector<std::size_t>& chosen, Sums& sums) {
        std::vector<int> sequences;
        for (std::size_t i = 0; i < chosen.size(); ++i) sequences.push_back(cache_.open());
        auto outcome = read_into(rows, chosen, sequences, sums);
        for (int sequence : sequences) cache_.close(sequence);
        return outcome;
    }

private:
    Result<void> read_into(std::span<const TokenRow> rows, const std::vector<std::size_t>& chosen,
                           const std::vector<int>& sequences, Sums& sums) {
        const auto longest = rows[chosen.front()].ids.size();  // plan_by_tokens puts it first
        const std::vector<const NativeAdapter*> adapters(adapter_ ? chosen.size() : 0, adapter_);
        for (std::size_t first = 0; first < longest; first += step_tokens) {
            PackedBatch batch;
            for (auto row : chosen) {
                const std::span ids(rows[row].ids);
                batch.add_row(ids.subspan(first, std::min(step_tokens, ids.size() - first)));
            }
            ROOTSTOCK_TRY(logits, executor_.extend(cache_, batch, sequences, adapters, Answer::every_token));
            for (std::size_t i = 0; i < chosen.size(); ++i)
                score(rows[chosen[i]], first, batch.row_length(i), logits, i, sums);
        }
        return {};
    }

    Executor& executor_;
    Cache& cache_;
    const NativeAdapter* adapter_;
};

}  // namespace

WritingBench::WritingBench(std::shared_ptr<const NativeModel> model, Tokenizer tokenizer, Adapter adapter,
                           std::shared_ptr<const NativeAdapter> native)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      adapter_(std::move(adapter)),
      native_(std::move(native)),
      executor_(model_) {}

Result<WritingBench> WritingBench::open(const fs::path& base_folder, const std::string& base_digest,
                                        const fs::path& adapter_folder) {
    ROOTSTOCK_TRY(files, load_model(base_folder));
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(base_folder));
    ROOTSTOCK_TRY(adapter, load_adapter(adapter_folder, files.spec, base_digest));
    ROOTSTOCK_TRY(model, NativeModel::load(files));
    ROOTSTOCK_TRY(native, NativeAdapter::load(*model, adapter));
    return WritingBench(std::move(model), std::move(tokenizer), std::move(adapter), std::move(native));
}

Result<std::string> WritingBench::check() {
    if (adapter_.self_tests.empty())
        return fail(ErrorCode::corrupt, "the adapter carries no self-tests, so nothing proves that it fits this model");
    ROOTSTOCK_CHECKED(check_self_tests(executor_, *native_, adapter_, tokenizer_));
    return self_test_sentence(adapter_.self_tests.size(), model_->precision());
}

Result<WritingMeasures> WritingBench::measure(std::span<const TokenRow> rows, bool with_adapter) {
    std::vector<std::int32_t> lengths;
    for (const auto& row : rows) lengths.push_back(static_cast<std::int32_t>(row.ids.size()));
    const int longest = lengths.empty() ? 0 : *std::ranges::max_element(lengths);
    const int room = std::max(longest, static_cast<int>(step_tokens)) + static_cast<int>(rows_max) * block_tokens;
    ROOTSTOCK_TRY(cache, Cache::make(model_, {room, block_tokens}));
    Reader reader(executor_, cache, with_adapter ? native_.get() : nullptr);
    Sums sums;
    for (const auto& chosen : plan_by_tokens(lengths, step_tokens, rows_max))
        ROOTSTOCK_CHECKED(reader.read(rows, chosen, sums));
    if (sums.weight <= 0)
        return fail(ErrorCode::invalid_argument, "there is no word to measure with: give more rows", "eval");
    return WritingMeasures{sums.loss / sums.weight, sums.right / sums.weight};
}

}  // namespace rootstock
