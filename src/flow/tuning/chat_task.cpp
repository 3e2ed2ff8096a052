// Chat: conversations as fine-tuning APIs take them; measured by the loss of what the assistant says in rows that were
// not learned from, beside the base's.

#include <algorithm>
#include <optional>
#include <set>

#include "data/data.h"
#include "flow/chat.h"
#include "flow/tuning/chat_measure.h"
#include "flow/tuning/report_facts.h"
#include "flow/tuning/task.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

// ---- rows

struct ChatFile {
    std::vector<TokenRow> rows;
    std::vector<Problem> problems;
    std::string digest;
    std::int64_t all_rows = 0, cut = 0, endless = 0;

    std::int64_t tokens() const {
        std::int64_t sum = 0;
        for (const auto& row : rows) sum += static_cast<std::int64_t>(row.ids.size());
        return sum;
    }
    std::int64_t learned_tokens() const {
        std::int64_t sum = 0;
        for (const auto& row : rows) sum += std::ranges::count_if(row.weights, [](float weight) { return weight > 0; });
        return sum;
    }
};

// What turns conversations into tokens, of one base model.
class ChatTokens {
public:
    static Result<ChatTokens> load(const fs::path& base_folder, const Model& model) {
        ROOTSTOCK_TRY(tokenizer, Tokenizer::load(base_folder));
        auto form = read_chat_form(base_folder);
        if (!form && form.error().reason != "no_chat_template") return fail(form.error());
        std::optional<ChatForm> known;
        if (form) known = std::move(*form);
        return ChatTokens(std::move(tokenizer), std::move(known), model.spec.end_ids);
    }

    Result<ChatFile> read(const fs::path& path, int max_tokens, LongRows long_rows) const {
        ROOTSTOCK_TRY(dataset, read_chat_dataset(path));
        ChatFile file{{}, std::move(dataset.problems), std::move(dataset.digest), dataset.rows};
        TokenRowOptions options{max_tokens, long_rows, end_ids_, {}, nullptr};
        if (form_) options.special_tokens = form_->special_tokens, options.form = &form_->form;
        for (const auto& example : dataset.examples) add(example, options, file);
        std::ranges::stable_sort(file.problems, {}, &Problem::row);
        if (!file.rows.empty()) return file;
        const auto& first = file.problems.front();
        return fail(ErrorCode::invalid_argument,
                    path.string() + ": none of its " + format_count(static_cast<std::uint64_t>(file.all_rows)) +
                        " rows can be used; the first is row " + std::to_string(first.row) + ": " + first.reason,
                    "data");
    }

private:
    ChatTokens(Tokenizer tokenizer, std::optional<ChatForm> form, std::vector<int> end_ids)
        : tokenizer_(std::move(tokenizer)), form_(std::move(form)), end_ids_(std::move(end_ids)) {}

    void add(const ChatExample& example, const TokenRowOptions& options, ChatFile& file) const {
        auto tokens = tokenise_chat(example, tokenizer_, options);
        if (!tokens) {
            file.problems.push_back({example.row, example.line, tokens.error().param, tokens.error().message});
            return;
        }
        file.cut += tokens->full_tokens > tokens->row.ids.size();
        file.endless += !tokens->ends;
        file.rows.push_back(std::move(tokens->row));
    }

    Tokenizer tokenizer_;
    std::optional<ChatForm> form_;
    std::vector<int> end_ids_;
};

class ChatRows final : public TaskRows {
public:
    ChatRows(TrainSettings settings, ChatFile train, std::optional<ChatFile> eval)
        : settings_(settings), train_(std::move(train)), eval_(std::move(eval)) {}

    void describe(TuningPlan& plan) const override {
        plan.train = settings_;
        plan.dataset_digest = train_.digest;
        plan.rows = train_.all_rows;
        plan.kept_aside = static_cast<std::int64_t>(train_.problems.size());
        if (!eval_) return;
        plan.eval_digest = eval_->digest;
        plan.eval_kept_aside = static_cast<std::int64_t>(eval_->problems.size());
    }
    void summarise(PreparedJob& summary) const override;
    Result<void> write(const fs::path& folder) const override {
        ROOTSTOCK_CHECKED(write_token_rows(rows_file(folder), train_.rows));
        ROOTSTOCK_CHECKED(write_problems(problems_file(folder), train_.problems));
        if (!eval_) return {};
        ROOTSTOCK_CHECKED(write_token_rows(eval_file(folder), eval_->rows));
        return write_problems(eval_problems_file(folder), eval_->problems);
    }

private:
    std::size_t rows_in_both() const {
        std::set<std::vector<std::int32_t>> learned;
        for (const auto& row : train_.rows) learned.insert(row.ids);
        return static_cast<std::size_t>(
            std::ranges::count_if(eval_->rows, [&](const TokenRow& row) { return learned.contains(row.ids); }));
    }

    TrainSettings settings_;
    ChatFile train_;
    std::optional<ChatFile> eval_;
};

void ChatRows::summarise(PreparedJob& summary) const {
    summary.examples = static_cast<std::int64_t>(train_.rows.size());
    summary.tokens = train_.tokens();
    summary.learned_tokens = train_.learned_tokens();
    summary.cut = train_.cut + (eval_ ? eval_->cut : 0);
    if (train_.endless > 0)
        summary.warnings.push_back(format_count(static_cast<std::uint64_t>(train_.endless)) +
                                   " rows do not end in a token that ends a text, so the model does not learn to stop");
    if (!eval_) return;
    summary.eval_examples = static_cast<std::int64_t>(eval_->rows.size());
    if (auto both = rows_in_both(); both > 0)
        summary.warnings.push_back(format_count(both) + " of the rows to measure with " + (both == 1 ? "is" : "are") +
                                   " among those to learn from");
}

// Validation rows there must be when nothing else measures.
Result<void> check_validation(const FinetuneOrder& order, const TrainSettings& settings, const ChatFile& train) {
    if (!split_token_rows(train.rows, settings.validation, settings.seed).held_out.empty()) return {};
    return fail(ErrorCode::invalid_argument,
                order.data.string() + " has too few rows (" + format_count(train.rows.size()) +
                    ") to hold some out for measuring; give --eval FILE, a larger --validation share, or more rows",
                "data");
}

Result<void> check_settings(const FinetuneOrder& order, const Model& model) {
    if (model.spec.head.kind != HeadKind::causal_lm)
        return fail(ErrorCode::unsupported,
                    "the base model " + order.base +
                        " does not write texts, so it cannot learn conversations; choose a "
                        "causal language model",
                    "base");
    if (order.train.label_smoothing == 0) return {};
    return fail(ErrorCode::invalid_argument, "label smoothing is for classification; leave it at 0", "label_smoothing");
}

Result<std::unique_ptr<TaskRows>> read(const FinetuneOrder& order, const fs::path& base_folder, const Model& model) {
    ROOTSTOCK_CHECKED(check_settings(order, model));
    ROOTSTOCK_TRY(tokens, ChatTokens::load(base_folder, model));
    auto settings = settle(order.train, order.automatic, 0, model.spec.width, model.spec.positions_max);
    const auto long_rows = order.refuse_long_rows ? LongRows::refuse : LongRows::cut;
    ROOTSTOCK_TRY(train, tokens.read(order.data, settings.max_tokens, long_rows));
    settings = settle(settings, order.automatic, static_cast<std::int64_t>(train.rows.size()), model.spec.width,
                      model.spec.positions_max);
    std::optional<ChatFile> eval;
    if (order.eval.empty()) {
        ROOTSTOCK_CHECKED(check_validation(order, settings, train));
    } else {
        ROOTSTOCK_TRY(rows, tokens.read(order.eval, settings.max_tokens, long_rows));
        eval = std::move(rows);
    }
    return std::make_unique<ChatRows>(settings, std::move(train), std::move(eval));
}

// ---- examination

class ChatReport final : public TuningReport {
public:
    explicit ChatReport(WritingPage page) : page_(std::move(page)) {}

    void set_title(const std::string& title) override { page_.title = title; }
    json::value as_json() const override { return rootstock::to_json(page_); }
    std::string as_html() const override { return rootstock::to_html(page_); }
    std::string as_text() const override { return rootstock::to_terminal(page_); }
    json::value metrics() const override {
        return json::object{{"measured_on", page_.measured_on},
                            {"examples", page_.rows},
                            {"loss", page_.after.loss},
                            {"perplexity", page_.after.perplexity()},
                            {"mean_token_accuracy", page_.after.accuracy},
                            {"base_loss", page_.before.loss},
                            {"base_perplexity", page_.before.perplexity()},
                            {"base_mean_token_accuracy", page_.before.accuracy}};
    }

private:
    WritingPage page_;
};

// The rows of the evaluation file, or those the learner held out: the same split by the same seed.
Result<std::vector<TokenRow>> measured_rows(const TuningJob& job, int vocabulary) {
    if (!job.plan.eval_source.empty()) return read_token_rows(eval_file(job.folder), vocabulary);
    ROOTSTOCK_TRY(all, read_token_rows(rows_file(job.folder), vocabulary));
    std::vector<TokenRow> rows;
    for (auto i : split_token_rows(all, job.plan.train.validation, job.plan.train.seed).held_out)
        rows.push_back(std::move(all[i]));
    return rows;
}

Result<Examination> examine(const TuningJob& job, const Learned& learned) {
    const auto& plan = job.plan;
    ROOTSTOCK_TRY(bench, WritingBench::open(plan.base_folder, plan.base_digest, adapter_folder(job.folder)));
    ROOTSTOCK_TRY(checked, bench.check());
    ROOTSTOCK_TRY(rows, measured_rows(job, bench.spec().vocabulary));
    WritingPage page;
    page.title = plan.name;
    ROOTSTOCK_TRY(before, bench.measure(rows, false));
    ROOTSTOCK_TRY(after, bench.measure(rows, true));
    page.before = before;
    page.after = after;
    page.rows = static_cast<std::int64_t>(rows.size());
    page.measured_on =
        plan.eval_source.empty() ? "validation rows of " + file_name(plan.data_source) : file_name(plan.eval_source);
    auto curves = read_curves(job.folder);
    page.loss = std::move(curves.loss);
    page.accuracy = std::move(curves.accuracy);
    page.settings = settings_facts(plan);
    page.lineage = lineage_facts(job, page.measured_on, learned.done, bench.description());
    page.kept_aside = plan.kept_aside + plan.eval_kept_aside;
    auto measured_on = page.measured_on;
    return Examination{std::make_unique<ChatReport>(std::move(page)), std::move(measured_on), std::move(checked)};
}

}  // namespace

const TuningTask chat_task{"chat", read, examine};

}  // namespace rootstock
