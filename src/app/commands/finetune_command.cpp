#include <cstdio>
#include <optional>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct FinetuneOptions {
    FinetuneOrder order;
    std::string data, eval, report, targets, resume;
    std::string precision = "bf16";
};

std::string count_of(std::int64_t count) { return format_count(static_cast<std::uint64_t>(count)); }

// What happens meanwhile, for people; with --json only the bar on standard error.
class Narrator final : public FinetuneWatcher {
public:
    explicit Narrator(const Context& context) : quiet_(context.json) {}

    void prepared(const PreparedJob& job) override {
        if (quiet_) return;
        const std::string rows = job.pictures ? " pictures" : " rows";
        say("data",
            job.data_source + ": " + count_of(job.rows) + rows + ", " + count_of(job.examples) + " usable, " +
                count_of(static_cast<std::int64_t>(job.labels)) + " labels" +
                (job.pictures ? " (folders)" : " (text `" + job.text_column + "`, label `" + job.label_column + "`)"));
        kept_aside(job.kept_aside, job.folder / "problems.jsonl", job.pictures);
        if (!job.eval_source.empty()) {
            say("eval", job.eval_source + ": " + count_of(job.eval_examples) + rows);
            kept_aside(job.eval_kept_aside, job.folder / "eval-problems.jsonl", job.pictures);
        }
        if (job.duplicates > 0) say("note", count_of(job.duplicates) + " rows repeat an earlier one; they are kept");
        for (const auto& warning : job.warnings) say("note", warning);
        say("job", job.id.text() + " (Ctrl-C stops it and keeps a checkpoint)");
        say("seed", std::to_string(job.train.seed));
    }

    void event(const json::object& event) override {
        const auto kind = text(event, "event");
        if (kind == "started") started(event);
        if (kind == "step") step(event);
        if (kind == "evaluation") evaluation(event);
        if (kind == "done" && bar_) {
            bar_->finish(note_);
            bar_.reset();
        }
        if (kind == "error") bar_.reset();
    }

    void note(const std::string& sentence) override {
        bar_.reset();
        if (!quiet_) say("note", sentence);
    }

private:
    static std::string text(const json::object& event, std::string_view key) {
        const auto* value = event.if_contains(key);
        return value && value->is_string() ? std::string(value->as_string()) : "";
    }
    static double number(const json::object& event, std::string_view key) {
        const auto* value = event.if_contains(key);
        return value && value->is_number() ? value->to_number<double>() : 0;
    }
    static void say(const char* what, const std::string& sentence) {
        std::printf(
            "%s%s\n",
            paint(Colour::dim,
                  std::string(what) + std::string(10 - std::min<std::size_t>(9, std::string_view(what).size()), ' '))
                .c_str(),
            sentence.c_str());
        std::fflush(stdout);
    }
    static void kept_aside(std::int64_t count, const std::filesystem::path& file, bool pictures) {
        if (count > 0)
            say("aside", count_of(count) + (pictures ? " picture" : " row") + (count == 1 ? " was" : "s were") +
                             " kept aside, each with its reason: " + file.string());
    }
    void started(const json::object& event) {
        if (quiet_) return;
        say("tuning", count_of(static_cast<std::int64_t>(number(event, "trainable"))) + " of " +
                          count_of(static_cast<std::int64_t>(number(event, "parameters"))) + " parameters, " +
                          count_of(static_cast<std::int64_t>(number(event, "examples"))) + " examples, " +
                          count_of(static_cast<std::int64_t>(number(event, "validation"))) + " held out, on " +
                          text(event, "device"));
    }
    void step(const json::object& event) {
        if (!bar_) bar_.emplace("tune", static_cast<std::uint64_t>(number(event, "steps")), "steps");
        char note[160];
        std::snprintf(note, sizeof note, "epoch %.0f  loss %.4f  %.0f examples/s  %s left%s", number(event, "epoch"),
                      number(event, "loss"), number(event, "examples_per_s"),
                      format_duration(number(event, "seconds_left")).c_str(), score_.c_str());
        note_ = note;
        bar_->update(static_cast<std::uint64_t>(number(event, "step")), note_);
    }
    void evaluation(const json::object& event) {
        char score[48];
        std::snprintf(score, sizeof score, "  validation %.4f", number(event, "accuracy"));
        score_ = score;
    }

    bool quiet_;
    std::optional<Progress> bar_;
    std::string note_, score_;
};

json::value to_json(const FinetuneResult& result) {
    const auto& adapter = result.adapter;
    return json::object{{"adapter", adapter.reference()},
                        {"id", adapter.id.text()},
                        {"state", catalog::name(adapter.state)},
                        {"job", adapter.job.text()},
                        {"seed", adapter.seed},
                        {"metrics", adapter.metrics},
                        {"folder", result.folder.string()},
                        {"report", result.report.string()},
                        {"report_html", result.html.string()}};
}

void print_result(const Context& context, const FinetuneResult& result) {
    if (context.json) return print_json(to_json(result));
    std::printf("%s\n\nMeasured on %s, as it will be served:\n\n%s\n", result.checked.c_str(),
                result.measured_on.c_str(), to_terminal(result.page.report).c_str());
    std::printf("report    %s\n          %s\n", result.html.c_str(), result.report.c_str());
    const auto reference = result.adapter.reference();
    std::printf("%s is a candidate. Next: rootstock promote %s\n", paint(Colour::bold, reference).c_str(),
                reference.c_str());
}

std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (char c : text + ",") {
        if (c != ',') {
            word += c;
            continue;
        }
        if (!word.empty()) words.push_back(word);
        word.clear();
    }
    return words;
}

Result<void> require(const FinetuneOptions& options) {
    std::pair<const char*, bool> needed[] = {{"--base", options.order.base.empty()},
                                             {"--data", options.data.empty()},
                                             {"--name", options.order.name.empty()}};
    for (auto [option, missing] : needed)
        if (missing)
            return fail(ErrorCode::invalid_argument,
                        std::string(option) + " is missing; see `rootstock finetune --help`", option + 2, "usage");
    return {};
}

Result<void> run_finetune(const Context& context, FinetuneOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    FinetuneParts parts{*place.records, place.home, system_clock()};
    Narrator narrator(context);
    if (!options.resume.empty()) {
        ROOTSTOCK_TRY(result, resume_finetune(parts, JobId(options.resume), options.report, narrator));
        print_result(context, result);
        return {};
    }
    ROOTSTOCK_CHECKED(require(options));
    auto order = options.order;
    order.data = options.data;
    order.eval = options.eval;
    order.report = options.report;
    order.lora.targets = split_at_commas(options.targets);
    order.train.bf16 = options.precision == "bf16";
    ROOTSTOCK_TRY(result, finetune(parts, order, narrator));
    print_result(context, result);
    return {};
}

void add_data_options(CLI::App& command, FinetuneOptions& options) {
    command.add_option("--base", options.order.base, "Base model: name, id or digest (see `rootstock models`)")
        ->type_name("MODEL");
    command
        .add_option("--data", options.data,
                    "Labelled rows: csv, tsv or jsonl; task image: a folder with a folder of pictures for each class")
        ->type_name("FILE|FOLDER");
    command.add_option("--eval", options.eval, "Rows to measure with, as --data [validation rows of --data]")
        ->type_name("FILE|FOLDER");
    command.add_option("--task", options.order.task, "What to learn: classify (texts) or image")->capture_default_str();
    command.add_option("--name", options.order.name, "Name of the adapter; each run makes its next version")
        ->type_name("NAME");
    command.add_option("--text", options.order.text_column, "Column with the texts [detected]")->type_name("COLUMN");
    command.add_option("--label", options.order.label_column, "Column with the labels [detected]")->type_name("COLUMN");
    command.add_option("--tenant", options.order.tenant, "Customer who owns the adapter [the house]")
        ->type_name("TENANT");
    command.add_option("--report", options.report, "Write the report as JSON here, and as HTML beside it")
        ->type_name("FILE");
    command.add_option("--resume", options.resume, "Go on with an interrupted job")->type_name("JOB");
}

void add_settings(CLI::App& command, FinetuneOptions& options) {
    auto& lora = options.order.lora;
    auto& train = options.order.train;
    auto add = [&](const char* name, auto& value, const char* sentence) {
        return command.add_option(name, value, sentence)->capture_default_str()->group("Settings");
    };
    add("--rank", lora.rank, "Rank of the low-rank updates");
    add("--alpha", lora.alpha, "Updates are scaled by alpha / rank");
    add("--dropout", lora.dropout, "Dropout on their input");
    add("--targets", options.targets, "Linear maps to adapt, with commas between [all]");
    add("--epochs", train.epochs, "Passes over the rows, at most");
    add("--batch", train.batch_examples, "Examples per step");
    add("--lr", train.learning_rate, "Peak learning rate");
    add("--head-lr", train.head_learning_rate, "Peak learning rate of the head; 0: the same");
    add("--weight-decay", train.weight_decay, "Weight decay of AdamW");
    add("--label-smoothing", train.label_smoothing, "Share of each label spread over all");
    add("--seed", train.seed, "Decides split, order and first weights");
    add("--max-tokens", train.max_tokens, "Longer texts are cut, and counted");
    add("--validation", train.validation, "Share of the rows held out");
    add("--patience", train.patience, "Epochs without a better score before it stops");
    add("--threads", train.threads, "Cores to use; 0: all");
    add("--precision", options.precision, "Of matrix products while learning")->check(CLI::IsMember({"bf16", "fp32"}));
}

}  // namespace

void add_finetune_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("finetune", "Tune an adapter on labelled rows, measure and register it");
    auto options = std::make_shared<FinetuneOptions>();
    add_data_options(*command, *options);
    add_settings(*command, *options);
    command->callback([&context, options] { run_command(context, [&] { return run_finetune(context, *options); }); });
}

}  // namespace rootstock
