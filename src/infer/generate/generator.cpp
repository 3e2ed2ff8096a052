#include "infer/generate/generator.h"

#include <algorithm>

namespace rootstock {

Generator::Generator(std::shared_ptr<const NativeModel> model, Cache cache)
    : model_(model), cache_(std::move(cache)), executor_(std::move(model)) {}

Result<Generator> Generator::make(std::shared_ptr<const NativeModel> model, int cache_tokens) {
    ROOTSTOCK_TRY(cache, Cache::make(model, {cache_tokens, 64}));
    return Generator(std::move(model), std::move(cache));
}

bool Generator::ends(std::int32_t id, std::span<const std::int32_t> more) const {
    const auto& own = model_->spec().end_ids;
    return std::ranges::find(own, id) != own.end() || std::ranges::find(more, id) != more.end();
}

Result<PackedBatch> Generator::begin(std::span<const std::vector<std::int32_t>> prompts, RowAdapters adapters,
                                     Sequences& sequences) {
    for (std::size_t row = 0; row < prompts.size(); ++row) sequences.open();
    const auto texts = pack(prompts);
    const auto& spec = model_->spec();
    if (spec.decoder_layers == 0) return texts;
    ROOTSTOCK_CHECKED(executor_.read(cache_, texts, sequences.all(), adapters));
    PackedBatch starts;
    const std::int32_t start[] = {spec.start_id};
    for (std::size_t row = 0; row < prompts.size(); ++row) starts.add_row(start);
    return starts;
}

Result<std::vector<Generated>> Generator::generate(std::span<const std::vector<std::int32_t>> prompts,
                                                   const GenerateOptions& options, RowAdapters adapters,
                                                   const TokenListener& listener) {
    ROOTSTOCK_CHECKED(check(options.sampling));
    if (options.tokens_max < 1) return fail(ErrorCode::invalid_argument, "tokens_max must be at least 1", "tokens_max");
    Sequences sequences(cache_);
    ROOTSTOCK_TRY(batch, begin(prompts, adapters, sequences));
    std::vector<Generated> texts(prompts.size());
    std::vector<Sampler> samplers;
    std::vector<std::size_t> going;
    for (std::size_t row = 0; row < prompts.size(); ++row) {
        auto sampling = options.sampling;
        sampling.seed += row;
        samplers.emplace_back(std::move(sampling)).see(prompts[row]);
        going.push_back(row);
    }
    std::vector<const NativeAdapter*> chosen(adapters.begin(), adapters.end());
    std::vector<int> open(sequences.all().begin(), sequences.all().end());
    while (!going.empty()) {
        ROOTSTOCK_TRY(logits, executor_.extend(cache_, batch, open, chosen));
        batch.clear();
        std::vector<std::size_t> left;
        for (std::size_t i = 0; i < going.size(); ++i) {
            const auto row = going[i];
            const std::int32_t id = samplers[row].choose(logits.row(i));
            auto& text = texts[row];
            if (ends(id, options.stop_ids)) {
                text.finish = Finish::stop;
                continue;
            }
            text.ids.push_back(id);
            if (listener && !listener(row, id)) {
                text.finish = Finish::cancelled;
                continue;
            }
            const bool full = cache_.length(sequences[row]) >= model_->spec().positions_max;
            if (full || static_cast<int>(text.ids.size()) >= options.tokens_max) continue;
            left.push_back(row);
            batch.add_row({&id, 1});
        }
        going = std::move(left);
        open.clear(), chosen.clear();
        for (const auto row : going) {
            open.push_back(sequences[row]);
            if (!adapters.empty()) chosen.push_back(adapters[row]);
        }
    }
    return texts;
}

}  // namespace rootstock
