// Who runs: requests come in when there is room, give it back when it is needed elsewhere, and end.

#include <algorithm>

#include "infer/generate/write_engine.h"

namespace rootstock {

namespace {

Result<void> check_ids(const std::vector<std::int32_t>& ids, int vocabulary) {
    for (const auto id : ids)
        if (id < 0 || id >= vocabulary)
            return fail(
                ErrorCode::invalid_argument,
                "token " + std::to_string(id) + " is not in the model's vocabulary of " + std::to_string(vocabulary),
                "prompt");
    return {};
}

Result<void> check_length(std::size_t tokens, int most) {
    if (tokens <= static_cast<std::size_t>(most)) return {};
    const auto over = tokens - static_cast<std::size_t>(most);
    return fail(ErrorCode::too_long,
                "the prompt has " + std::to_string(tokens) + " tokens, which is " + std::to_string(over) +
                    " more than the " + std::to_string(most) + " that fit; shorten it",
                "prompt", "context_length_exceeded");
}

}  // namespace

int WriteEngine::prompt_tokens_max() const {
    return model_->spec().decoder_layers > 0 ? model_->spec().positions_max : context_;
}

Result<void> WriteEngine::check(const WriteRequest& request) const {
    const auto refuse = [](std::string sentence, const char* field) {
        return fail(ErrorCode::invalid_argument, std::move(sentence), field);
    };
    if (request.prompt.empty()) return refuse("the prompt has no tokens", "prompt");
    ROOTSTOCK_CHECKED(check_length(request.prompt.size(), prompt_tokens_max()));
    ROOTSTOCK_CHECKED(check_ids(request.prompt, model_->spec().vocabulary));
    ROOTSTOCK_CHECKED(rootstock::check(request.options));
    if (request.choices < 1 || request.choices > settings_.rows_max)
        return refuse("choices must be a number from 1 to " + std::to_string(settings_.rows_max), "choices");
    if (request.logprobs < -1 || request.logprobs > 20)
        return refuse("logprobs must be a number from 0 to 20", "logprobs");
    if (request.adapter && !request.adapter->fits(*model_)) return refuse("the adapter is another model's", "model");
    if (request.choices == 1) return {};
    const auto lead = model_->spec().decoder_layers > 0 ? 1 : static_cast<int>(request.prompt.size());
    const int each = blocks_of(std::min(request.options.tokens_max, context_ - lead)) + 1;
    if (blocks_of(lead) + request.choices * each > cache_.blocks())
        return refuse("so many choices of up to " + std::to_string(request.options.tokens_max) +
                          " tokens do not fit into the cache; ask for fewer, or for shorter ones",
                      "choices");
    return {};
}

void WriteEngine::accept(WriteJobPtr job) {
    const auto& spec = model_->spec();
    const bool encodes = spec.decoder_layers > 0;
    job->lead = encodes ? std::vector<std::int32_t>{spec.start_id} : job->request.prompt;
    job->answer.prompt_tokens = static_cast<std::int64_t>(job->request.prompt.size());
    for (int c = 0; c < job->request.choices; ++c)
        job->choices.emplace_back(TextWriter(job->request.options, static_cast<std::uint64_t>(c), spec.end_ids,
                                             job->request.prompt, job->request.constraint.get()));
    shares_.wait(std::move(job));
}

std::size_t WriteEngine::rows_running() const {
    std::size_t rows = 0;
    for (const auto& job : running_) rows += job->rows();
    return rows;
}

// Room for the request now, and a little for those that run already.
bool WriteEngine::fits(const WriteJob& job) {
    if (running_.empty()) return true;
    const auto rows = rows_running();
    if (rows + job.rows() > static_cast<std::size_t>(settings_.rows_max)) return false;
    int wanted = blocks_of(static_cast<int>(job.lead.size())) + static_cast<int>(rows / 8);
    for (const auto& choice : job.choices) wanted += blocks_of(static_cast<int>(choice.text.ids().size()) + 1);
    for (const int block : known_blocks(job)) wanted -= cache_.only_held(block) ? 0 : 1;
    return wanted <= cache_.free_blocks() + (wanted > cache_.free_blocks() ? prefixes_.spare() : 0);
}

// The beginning of the prompt that is known already; its last token is read in any case, for its scores.
std::span<const int> WriteEngine::known_blocks(const WriteJob& job) {
    if (model_->spec().decoder_layers > 0 || must_read_at_once(job)) return {};
    return prefixes_.find(job.request, job.lead, static_cast<int>(job.lead.size() - 1) / cache_.block_tokens());
}

// A tenant with fewer texts running than another one gets the other's youngest request's room, as long as it does not
// come to have more itself.
bool WriteEngine::take_from_the_largest(const TenantShares::Lane& lane) {
    WriteJob* victim = nullptr;
    for (const auto& job : running_)
        if (!victim || shares_.lane(*job).load() >= shares_.lane(*victim).load()) victim = job.get();
    if (!victim) return false;
    const auto& other = shares_.lane(*victim);
    if (&other == &lane || other.load_without(victim->rows()) < lane.load_with(lane.waiting.front()->rows()))
        return false;
    preempt(*victim);
    return true;
}

bool WriteEngine::make_room(const TenantShares::Lane& lane) {
    while (!fits(*lane.waiting.front()))
        if (!take_from_the_largest(lane)) return false;
    return true;
}

// The tenant that was charged least gets what is free. Others may still take back their share of what is not.
void WriteEngine::let_in() {
    for (bool came = true; came;) {
        came = false;
        bool first = true;
        for (auto* lane : shares_.in_order()) {
            if (came) break;
            came = (first || take_from_the_largest(*lane)) && make_room(*lane);
            first = false;
            if (came) begin(shares_.take(*lane));
        }
    }
}

void WriteEngine::begin(WriteJobPtr job) {
    if (!job->begun) room_.leave(job->request.tenant, job->request.prompt.size());
    job->trunk = cache_.open();
    const auto known = known_blocks(*job);
    cache_.begin(job->trunk, known);
    if (!job->begun) {
        job->answer.cached_tokens = static_cast<std::int64_t>(known.size()) * cache_.block_tokens();
        totals_.cached_tokens += job->answer.cached_tokens;
    }
    job->begun = true;
    job->encoder_waits = model_->spec().decoder_layers > 0;
    const auto earlier = [](const WriteJobPtr& a, const WriteJobPtr& b) { return a->ticket < b->ticket; };
    running_.insert(std::ranges::upper_bound(running_, job, earlier), std::move(job));
}

// Its sequences go; what it has written stays and is read again later.
void WriteEngine::release(WriteJob& job) {
    if (job.trunk >= 0) cache_.close(job.trunk);
    job.trunk = -1;
    for (auto& choice : job.choices) {
        if (choice.sequence >= 0) cache_.close(choice.sequence);
        choice.sequence = -1;
    }
}

WriteJobPtr WriteEngine::remove(WriteJob& job) {
    const auto place = std::ranges::find(running_, &job, &WriteJobPtr::get);
    auto own = std::move(*place);
    running_.erase(place);
    release(job);
    shares_.leave(job);
    return own;
}

void WriteEngine::preempt(WriteJob& job) {
    for (const auto& row : rows_)
        if (row.job == &job) reserved_ -= row.blocks;
    std::erase_if(rows_, [&](const Row& row) { return row.job == &job; });
    shares_.wait(remove(job));
    ++totals_.preemptions;
}

void WriteEngine::answer(WriteJobPtr job) {
    for (auto& choice : job->choices) job->answer.choices.push_back({choice.text.take_ids(), *choice.text.finish()});
    job->done(std::move(job->answer));
}

void WriteEngine::end(WriteJobPtr job, Finish finish) {
    for (auto& choice : job->choices)
        if (!choice.text.finish()) choice.text.end(finish);
    answer(std::move(job));
}

void WriteEngine::refuse(WriteJobPtr job, Error error) {
    room_.leave(job->request.tenant, job->request.prompt.size());
    job->done(fail(std::move(error)));
}

void WriteEngine::end_all(const std::function<bool(const WriteJob&)>& wanted, Finish finish, const Error& error) {
    for (std::size_t i = 0; i < running_.size();)
        if (wanted(*running_[i]))
            end(remove(*running_[i]), finish);
        else
            ++i;
    for (auto& job : shares_.remove(wanted))
        if (job->begun)
            end(std::move(job), finish);
        else
            refuse(std::move(job), error);
}

void WriteEngine::end_late(double now) {
    end_all([now](const WriteJob& job) { return job.request.deadline > 0 && job.request.deadline < now; },
            Finish::deadline,
            {ErrorCode::overloaded, "the request waited too long for its turn; come back in a moment", "",
             "queue_timeout"});
}

void WriteEngine::cancel(WriteTicket ticket) {
    end_all([ticket](const WriteJob& job) { return job.ticket == ticket; }, Finish::cancelled,
            {ErrorCode::cancelled, "the request was cancelled", "", ""});
}

void WriteEngine::stop() {
    end_all([](const WriteJob&) { return true; }, Finish::cancelled,
            {ErrorCode::unavailable, "the server is stopping; come back in a moment", "", "stopping"});
}

void WriteEngine::fail_all(const Error& error) {
    spdlog::error("writing: {}", error.message);
    while (!running_.empty()) {
        auto job = remove(*running_.back());
        job->done(fail(error));
    }
}

WriterLoad WriteEngine::load() const {
    auto load = totals_;
    load.requests_waiting = shares_.waiting();
    load.tokens_waiting = shares_.waiting_tokens();
    load.rows_running = rows_running();
    load.blocks = cache_.blocks();
    load.blocks_kept = prefixes_.blocks();
    load.blocks_free = cache_.free_blocks() + prefixes_.spare();
    return load;
}

}  // namespace rootstock
