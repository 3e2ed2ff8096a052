#include "infer/generate/generator.h"

#include <algorithm>

#include "infer/generate/text_writer.h"

namespace rootstock {

Generator::Generator(std::shared_ptr<const NativeModel> model, Cache cache)
    : model_(model), cache_(std::move(cache)), executor_(std::move(model)) {}

Result<Generator> Generator::make(std::shared_ptr<const NativeModel> model, int cache_tokens) {
    ROOTSTOCK_TRY(cache, Cache::make(model, {cache_tokens, 64}));
    return Generator(std::move(model), std::move(cache));
}

bool Generator::ends(std::int32_t id) const {
    const auto& own = model_->spec().end_ids;
    return std::ranges::find(own, id) != own.end();
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
                                                   const TokenListener& listener, const Constraint* constraint) {
    ROOTSTOCK_CHECKED(check(options));
    Sequences sequences(cache_);
    ROOTSTOCK_TRY(batch, begin(prompts, adapters, sequences));
    std::vector<Generated> texts(prompts.size());
    std::vector<TextWriter> writers;
    std::vector<std::size_t> going;
    for (std::size_t row = 0; row < prompts.size(); ++row) {
        writers.emplace_back(options, row, model_->spec().end_ids, prompts[row], constraint);
        going.push_back(row);
    }
    std::vector<const NativeAdapter*> chosen(adapters.begin(), adapters.end());
    std::vector<int> open(sequences.all().begin(), sequences.all().end());
    TextScratch scratch;
    while (!going.empty()) {
        ROOTSTOCK_TRY(logits, executor_.extend(cache_, batch, open, chosen));
        batch.clear();
        std::vector<std::size_t> left;
        for (std::size_t i = 0; i < going.size(); ++i) {
            const auto row = going[i];
            auto& writer = writers[row];
            const int room = model_->spec().positions_max - cache_.length(sequences[row]) + 1;
            const auto id = writer.next(logits.row(i), room, scratch);
            if (id && listener && !listener(row, *id)) writer.end(Finish::cancelled);
            if (writer.finish()) continue;
            left.push_back(row);
            batch.add_row({&*id, 1});
        }
        going = std::move(left);
        open.clear(), chosen.clear();
        for (const auto row : going) {
            open.push_back(sequences[row]);
            if (!adapters.empty()) chosen.push_back(adapters[row]);
        }
    }
    for (std::size_t row = 0; row < texts.size(); ++row)
        texts[row] = {writers[row].take_ids(), *writers[row].finish(), 0};
    return texts;
}

}  // namespace rootstock
