#include <cstdio>
#include <optional>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct FinetuneOptions {
    FinetuneOrder order;  // lora, train and automatic are filled in when the task is known
    LoraSettings lora;
    TrainSettings train;
    bool refuse_long = false;
    std::string drop, categories;
    std::string label_kind = "detect", scaling = "quantile";
    const CLI::App* command = nullptr;
    std::string data, eval, report, targets, resume;
    std::string precision = "bf16";
};

std::string count_of(std::int64_t count) { return format_count(static_cast<std::uint64_t>(count)); }

// What of the rows is read and what is learned, in a few words.
std::string what_is_learned(const PreparedJob& job) {
    if (job.task == "chat")
        return count_of(job.tokens) + " tokens, " + count_of(job.learned_tokens) + " of them to learn";
    const auto labels = count_of(static_cast<std::int64_t>(job.labels));
    if (job.task == "image") return labels + " labels (folders)";
    if (job.task == "table")
        return job.columns + ", label `" + job.label_column + "`" +
               (job.labels > 0 ? " of " + labels + " classes" : ", a number");
    return labels + " labels (text `" + job.text_column + "`, label `" + job.label_column + "`)";
}

// What happens meanwhile, for people; with --json only the bar on standard error.
class Narrator final : public FinetuneWatcher {
public:
    explicit Narrator(const Context& context) : quiet_(context.json) {}

    void prepared(const PreparedJob& job) override {
        if (quiet_) return;
        const bool pictures = job.task == "image";
        const std::string rows = pictures ? " pictures" : " rows";
        say("data", job.data_source + ": " + count_of(job.rows) + rows + ", " + count_of(job.examples) + " usable, " +
                        what_is_learned(job));
        kept_aside(job.kept_aside, job.folder / "problems.jsonl", pictures);
        if (!job.eval_source.empty()) {
            say("eval", job.eval_source + ": " + count_of(job.eval_examples) + rows);
            kept_aside(job.eval_kept_aside, job.folder / "eval-problems.jsonl", pictures);
        }
        if (job.duplicates > 0) say("note", count_of(job.duplicates) + " rows repeat an earlier one; they are kept");
        if (job.cut > 0)
            say("note", count_of(job.cut) + (job.cut == 1 ? " row is" : " rows are") + " longer than " +
                            count_of(job.train.max_tokens) + " tokens and lost the beginning");
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
        measure_ = text(event, "measure");
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
        std::snprintf(score, sizeof score, "  validation %.4f", number(event, measure_));
        score_ = score;
    }

    bool quiet_;
    std::optional<Progress> bar_;
    std::string note_, score_, measure_;
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
                result.measured_on.c_str(), result.measured->as_text().c_str());
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
    std::pair<const char*, bool> needed[] = {{"--base", options.order.base.empty() && options.order.task != "table"},
                                             {"--data", options.data.empty()},
                                             {"--name", options.order.name.empty()}};
    for (auto [option, missing] : needed)
        if (missing)
            return fail(ErrorCode::invalid_argument,
                        std::string(option) + " is missing; see `rootstock finetune --help`", option + 2, "usage");
    return {};
}

// What was given on the command line, over what the task begins with.
void take_given(const FinetuneOptions& options, FinetuneOrder& order) {
    auto take = [&](const char* option, auto& setting, const auto& value) {
        const bool given = options.command->count(option) > 0;
        if (given) setting = value;
        return given;
    };
    auto& train = order.train;
    take("--rank", order.lora.rank, options.lora.rank);
    take("--alpha", order.lora.alpha, options.lora.alpha);
    take("--dropout", order.lora.dropout, options.lora.dropout);
    const bool chat = order.task == "chat";
    order.automatic.epochs = !take("--epochs", train.epochs, options.train.epochs) && chat;
    order.automatic.batch_examples = !take("--batch", train.batch_examples, options.train.batch_examples) && chat;
    order.automatic.learning_rate = !take("--lr", train.learning_rate, options.train.learning_rate) && chat;
    order.automatic.max_tokens = !take("--max-tokens", train.max_tokens, options.train.max_tokens) && chat;
    take("--head-lr", train.head_learning_rate, options.train.head_learning_rate);
    take("--weight-decay", train.weight_decay, options.train.weight_decay);
    take("--label-smoothing", train.label_smoothing, options.train.label_smoothing);
    take("--seed", train.seed, options.train.seed);
    take("--validation", train.validation, options.train.validation);
    take("--patience", train.patience, options.train.patience);
    take("--threads", train.threads, options.train.threads);
}

Result<FinetuneOrder> order_of(const FinetuneOptions& options) {
    auto order = options.order;
    order.lora = usual_lora_settings(order.task);
    order.train = usual_train_settings(order.task);
    take_given(options, order);
    order.data = options.data;
    order.eval = options.eval;
    order.report = options.report;
    order.refuse_long_rows = options.refuse_long;
    order.lora.targets = split_at_commas(options.targets);
    order.train.bf16 = options.precision == "bf16";
    order.table.drop = split_at_commas(options.drop);
    order.table.categories = split_at_commas(options.categories);
    order.table.label_kind = options.label_kind == "classes"  ? LabelKind::classes
                             : options.label_kind == "number" ? LabelKind::number
                                                              : LabelKind::none;
    order.table.scaling = options.scaling == "standard" ? NumberScaling::Kind::standard : NumberScaling::Kind::quantile;
    return order;
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
    ROOTSTOCK_TRY(order, order_of(options));
    ROOTSTOCK_TRY(result, finetune(parts, order, narrator));
    print_result(context, result);
    return {};
}

void add_data_options(CLI::App& command, FinetuneOptions& options) {
    command.add_option("--base", options.order.base, "Base model: name, id or digest (see `rootstock models`)")
        ->type_name("MODEL");
    command
        .add_option(
            "--data", options.data,
            "Labelled rows: csv, tsv or jsonl; conversations: jsonl; pictures: a folder with a folder for each class")
        ->type_name("FILE|FOLDER");
    command.add_option("--eval", options.eval, "Rows to measure with, as --data [validation rows of --data]")
        ->type_name("FILE|FOLDER");
    command
        .add_option("--task", options.order.task,
                    "What to learn: classify (labels of texts), image (labels of pictures), chat (what the assistant "
                    "says) or table (one column from the others)")
        ->capture_default_str();
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
    auto& lora = options.lora;
    auto& train = options.train;
    auto add = [&](const char* name, auto& value, const char* sentence) {
        return command.add_option(name, value, sentence)->capture_default_str()->group("Settings");
    };
    auto add_open = [&](const char* name, auto& value, const std::string& sentence) {
        command.add_option(name, value, sentence)->group("Settings");
    };
    const auto usual = usual_train_settings("classify");
    const auto chat = usual_train_settings("chat");
    const auto table = usual_train_settings("table");
    auto both = [](auto classify, const std::string& with_chat) {
        return " [classify " + fmt::format("{:g}", static_cast<double>(classify)) + ", chat " + with_chat + "]";
    };
    auto all = [](auto classify, const std::string& with_chat, auto with_table) {
        return fmt::format(" [classify {:g}, chat {}, table {:g}]", static_cast<double>(classify), with_chat,
                           static_cast<double>(with_table));
    };
    add("--rank", lora.rank, "Rank of the low-rank updates");
    add("--alpha", lora.alpha, "Updates are scaled by alpha / rank");
    add("--dropout", lora.dropout, "Dropout on their input");
    add("--targets", options.targets, "Linear maps to adapt, with commas between [all]");
    add_open("--epochs", train.epochs,
             "Passes over the rows, at most" + all(usual.epochs, "by the rows", table.epochs));
    add_open("--batch", train.batch_examples,
             "Examples per step" + all(usual.batch_examples, "by the rows", table.batch_examples));
    add_open("--lr", train.learning_rate,
             "Peak learning rate" + all(usual.learning_rate, "by batch and width", table.learning_rate));
    add("--head-lr", train.head_learning_rate, "Peak learning rate of a classifier's head; 0: the same");
    add("--weight-decay", train.weight_decay, "Weight decay of AdamW");
    add_open("--label-smoothing", train.label_smoothing,
             "Share of each label spread over all" + all(usual.label_smoothing, "0", table.label_smoothing));
    add("--seed", train.seed, "Decides split, order and first weights");
    add_open("--max-tokens", train.max_tokens,
             "Longer texts are cut, and counted" + both(usual.max_tokens, "what the model takes, 2048 at most"));
    command.add_flag("--refuse-long", options.refuse_long, "chat: keep longer rows aside instead of cutting them")
        ->group("Settings");
    add("--validation", train.validation, "Share of the rows held out");
    add_open("--patience", train.patience,
             "Epochs without a better score before it stops" +
                 all(usual.patience, std::to_string(chat.patience), table.patience));
    add("--threads", train.threads, "Cores to use; 0: all");
    add("--precision", options.precision, "Of matrix products while learning")->check(CLI::IsMember({"bf16", "fp32"}));
}

void add_table_settings(CLI::App& command, FinetuneOptions& options) {
    auto& table = options.order.table.settings;
    auto add = [&](const char* name, auto& value, const char* sentence) {
        return command.add_option(name, value, sentence)->capture_default_str()->group("Settings of --task table");
    };
    add("--drop", options.drop, "Columns to leave out, with commas between")->type_name("COLUMNS");
    add("--categories", options.categories, "Columns whose numbers are codes, with commas between")
        ->type_name("COLUMNS");
    add("--label-kind", options.label_kind, "What the label is")->check(CLI::IsMember({"detect", "classes", "number"}));
    add("--scaling", options.scaling, "Of numbers")->check(CLI::IsMember({"quantile", "standard"}));
    add("--blocks", table.blocks, "Layers of the transformer");
    add("--width", table.width, "Of its tokens, one a column; a multiple of --heads");
    add("--heads", table.heads, "Attention heads");
    add("--attention-dropout", table.attention_dropout, "On attention weights, while learning");
    add("--inner-dropout", table.inner_dropout, "In the MLP, while learning");
    add("--hidden-dropout", table.hidden_dropout, "On what each sub-layer adds, while learning");
    command.add_flag("--balanced", table.balanced_classes, "Classes count the same, however rare; probabilities shift")
        ->group("Settings of --task table");
}

}  // namespace

void add_finetune_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("finetune", "Tune an adapter on labelled rows, measure and register it");
    auto options = std::make_shared<FinetuneOptions>();
    add_data_options(*command, *options);
    add_settings(*command, *options);
    options->command = command;
    add_table_settings(*command, *options);
    command->callback([&context, options] { run_command(context, [&] { return run_finetune(context, *options); }); });
}

}  // namespace rootstock
