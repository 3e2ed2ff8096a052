#include "infer/generate/write_engine.h"

#include <algorithm>

#include "infer/batch/batch_runner.h"
#include "infer/generate/chances.h"

namespace rootstock {

WriteEngine::WriteEngine(std::shared_ptr<const NativeModel> model, WriterSettings settings, Cache cache)
    : model_(std::move(model)),
      settings_(std::move(settings)),
      cache_(std::move(cache)),
      prefixes_(cache_, static_cast<int>(settings_.prefix_bytes / cache_.block_bytes())),
      executor_(model_),
      room_(settings_),
      context_(std::min(model_->spec().positions_max, cache_.blocks() * cache_.block_tokens())) {}

Result<std::unique_ptr<WriteEngine>> WriteEngine::make(std::shared_ptr<const NativeModel> model,
                                                       WriterSettings settings) {
    if (model->spec().head.kind != HeadKind::causal_lm)
        return fail(ErrorCode::unsupported, "a " + model->spec().family +
                                                " model without a language model's head "
                                                "does not write on");
    ROOTSTOCK_TRY(one, Cache::make(model, {1, settings.block_tokens}));  // tells how large a block is
    const auto blocks = std::clamp<std::size_t>(settings.cache_bytes / one.block_bytes(), 1, 1 << 20);
    const int tokens = static_cast<int>(blocks) * one.block_tokens();
    ROOTSTOCK_TRY(cache, Cache::make(model, {tokens, settings.block_tokens}));
    return std::unique_ptr<WriteEngine>(new WriteEngine(std::move(model), std::move(settings), std::move(cache)));
}

void WriteEngine::warm() { executor_.warm(); }

void WriteEngine::step(double now) {
    const double begin = monotonic_seconds();
    facts_ = {};
    end_late(now);
    let_in();
    plan();
    if (rows_.empty()) return;
    const auto done = run();
    if (!done) return fail_all(done.error());
    account(static_cast<std::int64_t>((monotonic_seconds() - begin) * 1e6));
    for (std::size_t i = 0; i < running_.size();)
        if (running_[i]->ended())
            answer(remove(*running_[i]));
        else
            ++i;
    if (settings_.on_step) settings_.on_step(facts_);
}

std::span<const std::int32_t> WriteEngine::pending(const WriteJob& job, int choice) const {
    const auto rest = [&](const std::vector<std::int32_t>& text, int read) {
        return std::span(text).subspan(static_cast<std::size_t>(read));
    };
    if (choice < 0) return rest(job.lead, cache_.length(job.trunk));
    const auto& own = job.choices[static_cast<std::size_t>(choice)];
    return rest(own.text.ids(), cache_.length(own.sequence) - static_cast<int>(job.lead.size()));
}

// A row longer than the model's own length may turn all its keys by other angles: it cannot be read in pieces.
bool WriteEngine::must_read_at_once(const WriteJob& job) const {
    const auto& spec = model_->spec();
    return spec.positions == Positions::rotary && spec.rotary.scaling == RotaryScaling::dynamic &&
           static_cast<int>(job.lead.size()) > spec.rotary.original;
}

// Free blocks for a row of `job`: from prompts kept for later, then from the youngest request. False when that is the
// job itself.
bool WriteEngine::reserve(const WriteJob& job, int blocks) {
    while (reserved_ + blocks > cache_.free_blocks()) {
        if (prefixes_.give_back()) continue;
        auto& youngest = *running_.back();
        ROOTSTOCK_CHECK(running_.size() > 1, "a request alone has room: check() saw to it");
        preempt(youngest);
        if (&youngest == &job) return false;
    }
    reserved_ += blocks;
    return true;
}

bool WriteEngine::add_row(WriteJob& job, int choice, std::size_t tokens) {
    const int sequence = choice < 0 ? job.trunk : job.choices[static_cast<std::size_t>(choice)].sequence;
    const int blocks = cache_.blocks_wanted(sequence, static_cast<int>(tokens));
    if (!reserve(job, blocks)) return false;
    const auto all = pending(job, choice);
    const auto cost = tokens + (job.encoder_waits ? job.request.prompt.size() : 0);
    rows_.push_back({&job, choice, sequence, all.first(tokens), cost, blocks, tokens == all.size()});
    return true;
}

// Texts that are written on come first, the oldest before: each needs one token. Then prompts, as many tokens of them
// as the step bears.
void WriteEngine::plan() {
    rows_.clear();
    reserved_ = 0;
    for (std::size_t i = 0; i < running_.size(); ++i) {
        auto& job = *running_[i];
        for (int c = 0; c < job.request.choices && job.trunk < 0; ++c)
            if (job.choices[static_cast<std::size_t>(c)].sequence >= 0 && pending(job, c).size() == 1)
                add_row(job, c, 1);
    }
    const int written = static_cast<int>(rows_.size());
    const int left = settings_.step_tokens_max - written;
    plan_reading(std::max(1, written > 0 ? std::min(left, settings_.chunk_tokens_max) : left));
}

void WriteEngine::plan_reading(int budget) {
    struct Reading {
        WriteJob* job;
        int choice;
    };
    std::vector<Reading> readings;
    for (const auto& job : running_) {
        if (job->trunk >= 0) readings.push_back({job.get(), -1});
        for (int c = 0; c < job->request.choices && job->trunk < 0; ++c)
            if (job->choices[static_cast<std::size_t>(c)].sequence >= 0 && pending(*job, c).size() > 1)
                readings.push_back({job.get(), c});
    }
    std::ranges::stable_sort(readings, {}, [&](const Reading& one) { return shares_.charged(*one.job); });
    for (const auto& [job, choice] : readings) {
        if (budget <= 0) break;
        if ((choice < 0 ? job->trunk : job->choices[static_cast<std::size_t>(choice)].sequence) < 0) continue;
        const auto all = pending(*job, choice).size();
        const auto part = must_read_at_once(*job) ? all : std::min(all, static_cast<std::size_t>(budget));
        if (add_row(*job, choice, part)) budget -= static_cast<int>(rows_.back().cost);
    }
}

Result<void> WriteEngine::read_encoders() {
    batch_.clear(), sequences_.clear(), adapters_.clear();
    for (const auto& row : rows_)
        if (row.job->encoder_waits) {
            batch_.add_row(row.job->request.prompt);
            sequences_.push_back(row.sequence);
            adapters_.push_back(row.job->request.adapter.get());
        }
    if (sequences_.empty()) return {};
    ROOTSTOCK_CHECKED(executor_.read(cache_, batch_, sequences_, adapters_));
    for (const auto& row : rows_) row.job->encoder_waits = false;
    return {};
}

Result<void> WriteEngine::run() {
    ROOTSTOCK_CHECKED(read_encoders());
    batch_.clear(), sequences_.clear(), adapters_.clear();
    for (const auto& row : rows_) {
        batch_.add_row(row.tokens);
        sequences_.push_back(row.sequence);
        adapters_.push_back(row.job->request.adapter.get());
    }
    ROOTSTOCK_TRY(scores, executor_.extend(cache_, batch_, sequences_, adapters_));
    for (std::size_t r = 0; r < rows_.size(); ++r) deliver(rows_[r], scores.row(r));
    return {};
}

void WriteEngine::deliver(const Row& row, std::span<const float> scores) {
    if (!row.answers) return;
    auto& job = *row.job;
    if (row.choice >= 0) return deliver_token(job, row.choice, scores);
    if (model_->spec().decoder_layers == 0 && !must_read_at_once(job)) prefixes_.keep(job.request, job.lead, job.trunk);
    fork_choices(job);
    for (int c = 0; c < job.request.choices; ++c)
        if (const auto& text = job.choices[static_cast<std::size_t>(c)].text; !text.finish() && text.ids().empty())
            deliver_token(job, c, scores);
}

// The first choice goes on in the trunk itself.
void WriteEngine::fork_choices(WriteJob& job) {
    int from = -1;
    for (auto& choice : job.choices) {
        if (choice.text.finish()) continue;
        choice.sequence = from < 0 ? job.trunk : cache_.fork(from);
        from = choice.sequence;
    }
    job.trunk = -1;
}

void WriteEngine::deliver_token(WriteJob& job, int choice, std::span<const float> scores) {
    auto& own = job.choices[static_cast<std::size_t>(choice)];
    const int room = context_ - cache_.length(own.sequence) + 1;
    if (const auto id = own.text.next(scores, room, scratch_)) {
        ++job.answer.completion_tokens, ++facts_.new_tokens;
        WrittenToken token{choice, *id, 0, {}};
        if (job.request.logprobs >= 0) tell_chances(scores, job.request.logprobs, token);
        if (job.listener && !job.listener(token)) own.text.end(Finish::stop);
    }
    if (!own.text.finish()) return;
    cache_.close(own.sequence);
    own.sequence = -1;
}

// The step's time among its requests by tokens; the parts add up to it.
void WriteEngine::account(std::int64_t micros) {
    costs_.clear();
    for (const auto& row : rows_) {
        costs_.push_back(static_cast<std::int64_t>(row.cost));
        if (row.choice < 0 || row.tokens.size() > 1) facts_.prompt_tokens += row.cost;
        shares_.charge(*row.job, row.cost);
    }
    const auto parts = apportion(micros, costs_);
    for (std::size_t r = 0; r < rows_.size(); ++r) rows_[r].job->answer.compute_micros += parts[r];
    std::ranges::sort(adapters_);
    const auto same = std::ranges::unique(adapters_);
    facts_.rows = rows_.size(), facts_.adapters = adapters_.size() - same.size(), facts_.micros = micros;
    totals_.prompt_tokens += static_cast<std::int64_t>(facts_.prompt_tokens);
    totals_.new_tokens += static_cast<std::int64_t>(facts_.new_tokens);
    totals_.step_micros += micros;
}

}  // namespace rootstock
