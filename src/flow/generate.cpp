#include "flow/generate.h"

#include <algorithm>

#include "flow/writing/mailbox.h"
#include "flow/writing/progress_marks.h"
#include "flow/writing/prompt.h"
#include "flow/writing/text_assembly.h"

namespace rootstock {

template <typename T>
using Task = boost::asio::awaitable<T>;

// One request under way: what is known of it grows from step to step.
struct Writing::State {
    const JourneySteps& steps;
    GenerateLimits limits;
    GenerateOrder order;
    Timestamp created;
    ResolvedModel model{};
    std::vector<std::vector<std::int32_t>> rows{};  // one per prompt
    std::vector<int> room{};                        // tokens that each text of a prompt may have
    std::shared_ptr<const Constraint> constraint{};
    std::shared_ptr<Mailbox> mailbox{};
    std::vector<WriteTicket> tickets{};
    ProgressMarks marks{steps.parts().records, order.request};
    double begun = monotonic_seconds();
    double stored = 0, machine = 0;  // seconds

    const JourneyParts& parts() const { return steps.parts(); }
    Writer& writer() const { return *model.base->writer; }

    // Up to the hold.
    Task<Result<void>> prepare();
    Task<Result<void>> begin();
    Task<Result<void>> resolve();
    Task<Result<void>> read_prompt();
    Task<Result<void>> compile();
    void fit_room(std::int64_t prompt_tokens);
    Task<Result<void>> reserve();

    // From the hold on.
    Task<void> give_up(std::int64_t compute_micros);
    Task<Result<Written>> run(const Hear& hear, const Render& render);
    Result<void> submit();
    void submit_prompt(std::size_t prompt);
    WriteRequest request_for(std::size_t prompt) const;
    Task<Result<Written>> write(const Hear& hear);
    Task<Result<bool>> tell(const Hear& hear, std::vector<WrittenPiece> pieces);
    void cancel() const;
    Result<Written> sum_up(std::vector<WrittenText> texts, std::vector<Result<WriteAnswer>> answers) const;
    Result<void> add(std::size_t prompt, const Result<WriteAnswer>& answer, Written& written) const;
    Task<Result<void>> settle(const Written& answer, std::string body);
    void tell(const Usage& usage) const;
};

namespace {

// What a caller may hear of an answer that did not come to its end.
Result<std::string> finish_word(Finish finish, bool caller_left) {
    switch (finish) {
        case Finish::stop:
            return "stop";
        case Finish::length:
            return "length";
        case Finish::deadline:
            return fail(ErrorCode::overloaded, "the answer took too long; nothing is charged for it", {}, "deadline");
        case Finish::cancelled:
            break;
    }
    if (caller_left) return "client_gone";
    return fail(ErrorCode::unavailable, "the server is stopping; come back in a moment", {}, "stopping");
}

}  // namespace

// ---- up to the hold ----

// To the writer's queue, where it may still be refused.
Task<Result<void>> Writing::State::begin() {
    auto fine = co_await prepare();
    if (!fine) {
        if (order.once) co_await steps.abandon(order.caller, *order.once, order.request);
        co_return fine;
    }
    fine = submit();
    if (!fine) co_await give_up(0);
    co_return fine;
}

Task<Result<void>> Writing::State::prepare() {
    if (auto fine = check_prompts(order, limits); !fine) co_return fail(fine.error());
    if (auto fine = co_await resolve(); !fine) co_return fail(fine.error());
    if (auto fine = co_await read_prompt(); !fine) co_return fail(fine.error());
    if (auto fine = co_await compile(); !fine) co_return fail(fine.error());
    co_return co_await reserve();
}

Task<Result<void>> Writing::State::resolve() {
    if (const auto* base = parts().models.called(order.model)) {
        if (auto may = tenant::check_may_ask(order.caller.models, order.model, base->name); !may)
            co_return fail(may.error());
        model = {base, {}, {}, base->name};
    } else {
        auto adapted = co_await steps.resolve_adapter(order.caller, order.model);
        if (!adapted) co_return fail(adapted.error());
        model = std::move(*adapted);
    }
    const bool classifies = model.resident && model.resident->native->classes() > 0;
    if (model.base->writer && !classifies) co_return Result<void>{};
    co_return fail(ErrorCode::unsupported,
                   "the model '" + order.model + "' does not write texts; ask a language model, or this one under " +
                       (classifies ? "/v1/classify" : "/v1/embeddings"),
                   "model");
}

Task<Result<void>> Writing::State::read_prompt() {
    auto work = [this] { return prompt_rows(order, *model.base, parts().clock); };
    auto read = co_await run_on(parts().pool, std::move(work));  // a template is a program of others
    if (!read) co_return fail(read.error());
    rows = std::move(*read);
    for (const auto& row : rows) {
        auto most = answer_room(order, limits, *model.base, row.size());
        if (!most) co_return fail(most.error());
        room.push_back(*most);
    }
    co_return Result<void>{};
}

Task<Result<void>> Writing::State::compile() {
    if (order.shape.kind == TextShape::Kind::any) co_return Result<void>{};
    auto work = [this] { return compile_shape(order.shape, *model.base, order.caller.tenant.text()); };
    auto compiled = co_await run_on(parts().pool, std::move(work));
    if (!compiled) co_return fail(compiled.error());
    constraint = std::move(*compiled);
    co_return Result<void>{};
}

// Who left the length open is given as much as a minute of his has room for, instead of being refused.
void Writing::State::fit_room(std::int64_t prompt_tokens) {
    const auto& admission = order.caller.admission;
    const auto most = admission ? admission->tokens_max() : std::nullopt;
    if (!most || order.tokens_max) return;
    const auto texts = static_cast<std::int64_t>(rows.size()) * order.choices;
    const auto each = std::max<std::int64_t>((*most - prompt_tokens) / texts, 1);
    for (auto& tokens : room) tokens = static_cast<int>(std::min<std::int64_t>(tokens, each));
}

Task<Result<void>> Writing::State::reserve() {
    std::int64_t in = 0, out = 0;
    for (const auto& row : rows) in += static_cast<std::int64_t>(row.size());
    fit_room(in);
    for (const int tokens : room) out += std::int64_t{tokens} * order.choices;
    if (auto fine = JourneySteps::take_tokens(order.caller, in + out); !fine) co_return fine;
    const auto now = parts().clock.now();
    const auto micros = std::chrono::microseconds(limits.time_max + std::chrono::seconds(60)).count();
    ledger::ReserveRequest request{order.request,
                                   order.caller.tenant,
                                   order.caller.key,
                                   model.base->name,
                                   in,
                                   Timestamp{now.micros + micros},
                                   parts().run,
                                   out,
                                   order.operation,
                                   model.reference(),
                                   model.adapter.id};
    auto work = [request = std::move(request), now](store::Session& session) {
        return ledger::reserve(session, request, now);
    };
    const double asked = monotonic_seconds();
    auto hold = co_await steps.write(std::move(work));
    stored += monotonic_seconds() - asked;
    if (hold) co_return Result<void>{};
    JourneySteps::settle_tokens(order.caller, 0);
    co_return fail(hold.error());
}

// ---- from the hold on ----

Task<Result<Written>> Writing::State::run(const Hear& hear, const Render& render) {
    const double asked = monotonic_seconds();
    auto answer = co_await write(hear);
    machine = monotonic_seconds() - asked;
    std::int64_t spent = 0;
    Error fault;
    if (answer) {
        spent = answer->usage.compute_micros;
        std::string body;
        if (!answer->partial) body = render(*answer);
        auto settled = co_await settle(*answer, std::move(body));
        if (settled) co_return answer;
        fault = settled.error();
    } else {
        fault = answer.error();
    }
    co_await give_up(spent);
    co_return fail(std::move(fault));
}

// Nothing is charged, and the idempotency key is free again.
Task<void> Writing::State::give_up(std::int64_t compute_micros) {
    JourneySteps::settle_tokens(order.caller, 0);
    co_await steps.let_go(order.request, compute_micros);
    if (order.once) co_await steps.abandon(order.caller, *order.once, order.request);
}

Result<void> Writing::State::submit() {
    mailbox = std::make_shared<Mailbox>(rows.size());
    for (std::size_t prompt = 0; prompt < rows.size(); ++prompt) {
        submit_prompt(prompt);
        if (tickets.back() != 0) continue;
        cancel();  // those before it
        return fail(mailbox->refusal(prompt));
    }
    return {};
}

void Writing::State::submit_prompt(std::size_t prompt) {
    const int first = static_cast<int>(prompt) * order.choices;
    auto assembly = std::make_shared<TextAssembly>(*model.base->base.tokenizer, order, first);
    auto hear = [assembly, box = mailbox](const WrittenToken& token) {
        box->put(assembly->push(token));
        return !assembly->stopped(token.choice);
    };
    auto done = [assembly, box = mailbox, prompt, choices = order.choices](Result<WriteAnswer> answer) {
        std::vector<WrittenPiece> rest;
        for (int choice = 0; answer && choice < choices; ++choice) rest.push_back(assembly->finish(choice));
        box->end(prompt, std::move(answer), std::move(rest));
    };
    tickets.push_back(writer().submit(request_for(prompt), std::move(hear), std::move(done)));
}

WriteRequest Writing::State::request_for(std::size_t prompt) const {
    const auto& tenant = order.caller.tenant;
    WriteRequest request;
    request.tenant = order.batch ? TenantId(tenant.text() + "/batch") : tenant;
    request.adapter = model.resident ? model.resident->native : nullptr;
    request.prompt = rows[prompt];
    request.choices = order.choices;
    request.options.tokens_max = room[prompt];
    request.options.sampling = order.sampling;
    request.options.sampling.seed += prompt * static_cast<std::uint64_t>(order.choices);
    request.logprobs = order.logprobs;
    request.constraint = constraint;
    request.deadline = monotonic_seconds() + std::chrono::duration<double>(limits.time_max).count();
    return request;
}

Task<Result<Written>> Writing::State::write(const Hear& hear) {
    http::WhenGone gone(*order.presence, [this] { cancel(); });
    std::vector<WrittenText> texts(rows.size() * static_cast<std::size_t>(order.choices));
    Result<bool> heard = hear != nullptr;
    for (;;) {
        auto post = co_await mailbox->next();
        for (const auto& piece : post.pieces) {
            auto& text = texts[static_cast<std::size_t>(piece.text)];
            text.words += piece.words;
            text.tokens.insert(text.tokens.end(), piece.tokens.begin(), piece.tokens.end());
        }
        if (heard && *heard && !post.pieces.empty()) {
            heard = co_await tell(hear, std::move(post.pieces));
            if (!heard || !*heard) cancel();
        }
        if (post.answers.empty()) continue;
        if (!heard) co_return fail(heard.error());
        co_return sum_up(std::move(texts), std::move(post.answers));
    }
}

// In steps that the marks have room for. False: nobody listens any more.
Task<Result<bool>> Writing::State::tell(const Hear& hear, std::vector<WrittenPiece> pieces) {
    for (std::size_t at = 0; at < pieces.size();) {
        const auto until = marks.told() + ProgressMarks::tokens_between;
        std::vector<WrittenPiece> step;
        do step.push_back(std::move(pieces[at++]));
        while (at < pieces.size() && pieces[at].written <= until);
        const auto written = step.back().written;
        auto room = co_await marks.room_for(written);
        if (!room) co_return fail(room.error());
        const bool heard = co_await hear(std::move(step));
        if (!heard) co_return false;
        marks.told(written);
    }
    co_return true;
}

void Writing::State::cancel() const {
    for (const auto ticket : tickets) writer().cancel(ticket);
}

Result<Written> Writing::State::sum_up(std::vector<WrittenText> texts, std::vector<Result<WriteAnswer>> answers) const {
    Written written{std::move(texts), {}, false};
    for (std::size_t prompt = 0; prompt < answers.size(); ++prompt)
        ROOTSTOCK_CHECKED(add(prompt, answers[prompt], written));
    if (written.usage.rows > 0) return written;
    return fail(ErrorCode::cancelled, "the caller left before the answer was begun");
}

// A prompt that had not been begun when its caller left is not charged.
Result<void> Writing::State::add(std::size_t prompt, const Result<WriteAnswer>& answer, Written& written) const {
    const bool left = order.presence->gone();
    if (!answer && answer.error().code == ErrorCode::cancelled && left) {
        written.partial = true;
        return {};
    }
    if (!answer) return fail(answer.error());
    written.usage.input_tokens += answer->prompt_tokens;
    written.usage.cached_tokens += answer->cached_tokens;
    written.usage.output_tokens += answer->completion_tokens;
    written.usage.compute_micros += answer->compute_micros;
    ++written.usage.rows;
    for (std::size_t choice = 0; choice < answer->choices.size(); ++choice) {
        const auto finish = answer->choices[choice].finish;
        ROOTSTOCK_TRY(word, finish_word(finish, left));
        written.partial = written.partial || finish == Finish::cancelled;
        written.texts[prompt * static_cast<std::size_t>(order.choices) + choice].finish = std::move(word);
    }
    return {};
}

// What its caller did not wait for is charged too; the key is free then, for whoever asks again.
Task<Result<void>> Writing::State::settle(const Written& answer, std::string body) {
    ledger::Settlement settlement{order.request,
                                  order.operation,
                                  model.base->name,
                                  model.reference(),
                                  answer.usage,
                                  model.adapter.id,
                                  answer.partial ? "client_gone" : answer.texts.front().finish,
                                  answer.partial};
    auto work = [this, &body, settlement = std::move(settlement),
                 now = parts().clock.now()](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::post(session, settlement, now));
        if (!order.once) return {};
        const auto key = JourneySteps::key_of(order.caller, *order.once);
        if (!settlement.partial) return ledger::finish(session, key, order.request, 200, body, now);
        ledger::abandon(session, key, order.request);
        return {};
    };
    const double asked = monotonic_seconds();
    auto settled = co_await steps.write(std::move(work));
    stored += monotonic_seconds() - asked;
    if (!settled) co_return settled;
    JourneySteps::settle_tokens(order.caller, answer.usage.input_tokens + answer.usage.output_tokens);
    tell(answer.usage);
    co_return settled;
}

void Writing::State::tell(const Usage& usage) const {
    JourneyFacts facts{order.caller.tenant, model.base->name, usage};
    facts.store = stored;
    facts.compute = std::min(static_cast<double>(usage.compute_micros) * 1e-6, machine);
    facts.queue = machine - facts.compute;
    steps.tell(std::move(facts), begun);
}

// ---- the face ----

Writing::Writing(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writing::~Writing() = default;

Task<Result<Written>> Writing::run(Hear hear, Render render) { co_return co_await state_->run(hear, render); }
const std::string& Writing::model() const { return state_->model.name; }
const std::string& Writing::base_digest() const { return state_->model.base->digest; }
Timestamp Writing::created() const { return state_->created; }

Generate::Generate(JourneyParts parts, GenerateLimits limits) : steps_(std::move(parts)), limits_(limits) {}
Generate::~Generate() = default;

Task<Result<Begun>> Generate::begin(GenerateOrder order) {
    if (order.once) {
        auto claimed = co_await steps_.claim(order.caller, *order.once, order.request);
        if (!claimed) co_return fail(claimed.error());
        if (*claimed) co_return Begun{std::move(*claimed), nullptr};
    }
    std::unique_ptr<Writing::State> state(
        new Writing::State{steps_, limits_, std::move(order), steps_.parts().clock.now()});
    if (auto begun = co_await state->begin(); !begun) co_return fail(begun.error());
    co_return Begun{{}, std::make_shared<Writing>(std::move(state))};
}

}  // namespace rootstock
