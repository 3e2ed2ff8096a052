#include "flow/tuning/ordered.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "data/data.h"
#include "flow/intake.h"
#include "flow/tuning/learner.h"
#include "model/model.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t rows_named_max = 20;
constexpr int small_batch = 8;
constexpr std::int64_t rows_for_a_full_batch = 256;

struct OrderedFile {
    catalog::File record;
    fs::path path;
};

Result<OrderedFile> find_file(const TuneParts& parts, const TenantId& tenant, const FileId& id, const char* field) {
    auto file = parts.records.read(
        [&](store::Session& session) { return catalog::find_file(session, tenant, id, parts.clock.now()); });
    if (!file)
        return fail(file.error().code == ErrorCode::not_found ? ErrorCode::invalid_argument : file.error().code,
                    "the file " + id.text() + " was deleted before the job read it", field);
    auto path = parts.blobs.path({tenant.text(), id.text()});
    return OrderedFile{std::move(*file), std::move(path)};
}

double number_or(const json::object& hyperparameters, const char* key, double automatic) {
    const auto* value = hyperparameters.if_contains(key);
    return value && value->is_number() ? value->to_number<double>() : automatic;
}

// A sentence about a file of ours becomes one about the customer's.
void rename(Error& error, const OrderedFile& file, const char* field) {
    const auto path = file.path.string();
    for (auto at = error.message.find(path); at != std::string::npos; at = error.message.find(path)) {
        error.message.replace(at, path.size(), "the file " + file.record.filename);
        error.param = field;
    }
}

Error in_customers_words(Error error, const OrderedFile& training, const std::optional<OrderedFile>& validation) {
    if (error.reason == "too_few_rows")
        error.message = training.path.string() +
                        " has too few rows to hold some out for measuring; give a validation_file, or more rows";
    rename(error, training, "training_file");
    if (validation) rename(error, *validation, "validation_file");
    return error;
}

Result<std::vector<Problem>> problems_in(const fs::path& path) {
    std::vector<Problem> problems;
    auto text = read_file(path);
    if (!text) return fail(text.error());
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        ROOTSTOCK_TRY(value, parse_json(line, "problems.jsonl"));
        JsonFields fields(value, "problems.jsonl");
        Problem problem;
        problem.row = fields.required_int("row", 0, INT64_MAX);
        problem.line = fields.required_int("line", 0, INT64_MAX);
        problem.field = fields.required_string("field");
        problem.reason = fields.required_string("reason");
        ROOTSTOCK_CHECKED(fields.finish());
        problems.push_back(std::move(problem));
    }
    return problems;
}

// Whoever pays for the training has his say about every row: a faulty one ends the job before it costs anything.
Result<void> refuse_problems(const fs::path& path, const OrderedFile& file, const char* field) {
    ROOTSTOCK_TRY(problems, problems_in(path));
    if (problems.empty()) return {};
    std::string sentence = "the file " + file.record.filename + " has " + std::to_string(problems.size()) +
                           (problems.size() == 1 ? " faulty row: " : " faulty rows: ");
    for (std::size_t i = 0; i < std::min(problems.size(), rows_named_max); ++i) {
        const auto& problem = problems[i];
        sentence += (i > 0 ? "; row " : "row ") + std::to_string(problem.row) + " (line " +
                    std::to_string(problem.line) + ")" + (problem.field.empty() ? "" : ", " + problem.field) + ": " +
                    problem.reason;
    }
    if (problems.size() > rows_named_max) sentence += "; and others";
    return fail(ErrorCode::invalid_argument, sentence, field, "invalid_training_file");
}

Result<std::int64_t> count_tokens(const TuningJob& job) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(job.plan.base_folder));
    ROOTSTOCK_TRY(rows, read_training_rows(rows_file(job.folder), static_cast<std::int32_t>(job.labels.size())));
    std::int64_t tokens = 0;
    std::vector<std::int32_t> ids;
    for (const auto& row : rows) {
        ids.clear();
        ROOTSTOCK_CHECKED(tokenizer.encode_ids(row.text, {.max_tokens = job.plan.train.max_tokens}, ids));
        tokens += static_cast<std::int64_t>(ids.size());
    }
    return tokens;
}

// "auto" is what the command line uses, with smaller steps where there are few rows.
FinetuneOrder order_of(const catalog::Tuning& tuning, const OrderedFile& training,
                       const std::optional<OrderedFile>& validation) {
    const json::object& wanted = tuning.hyperparameters.as_object();
    FinetuneOrder order;
    order.base = tuning.model;
    order.name = "ft-" + tuning.job.text().substr(tuning.job.text().size() - 12);
    order.tenant = tuning.tenant.text();
    order.data = training.path;
    if (validation) order.eval = validation->path;
    auto& train = order.train;
    const auto lines = training.record.bytes / 64;
    train.epochs = static_cast<int>(number_or(wanted, "n_epochs", train.epochs));
    train.batch_examples = static_cast<int>(
        number_or(wanted, "batch_size", lines < rows_for_a_full_batch ? small_batch : train.batch_examples));
    const double multiplier = number_or(wanted, "learning_rate_multiplier", 1);
    train.learning_rate *= multiplier;
    train.head_learning_rate *= multiplier;
    train.seed = static_cast<std::uint64_t>(tuning.seed);
    return order;
}

json::object settled(const catalog::Tuning& tuning, const TrainSettings& train) {
    return {{"n_epochs", train.epochs},
            {"batch_size", train.batch_examples},
            {"learning_rate_multiplier", number_or(tuning.hyperparameters.as_object(), "learning_rate_multiplier", 1)}};
}

}  // namespace

Result<OrderedJob> prepare_ordered(const TuneParts& parts, const catalog::Tuning& tuning,
                                   const catalog::JobHold& hold) {
    ROOTSTOCK_TRY(training, find_file(parts, tuning.tenant, tuning.training, "training_file"));
    std::optional<OrderedFile> validation;
    if (!tuning.validation.empty()) {
        ROOTSTOCK_TRY(found, find_file(parts, tuning.tenant, tuning.validation, "validation_file"));
        validation = std::move(found);
    }
    std::error_code code;
    fs::remove_all(parts.home.jobs() / tuning.job.text(), code);  // half prepared by a worker that died
    FinetuneParts finetune{parts.records, parts.home, parts.clock};
    auto order = order_of(tuning, training, validation);
    ROOTSTOCK_TRY(base, find_base(parts.records, parts.home, tuning.model));
    ROOTSTOCK_TRY(model, load_model(parts.home.models() / base.folder));
    order.train.max_tokens = std::min(order.train.max_tokens, static_cast<int>(model.spec.positions_max));
    auto prepared = prepare_folder(finetune, order, tuning.job);
    if (!prepared) return fail(in_customers_words(prepared.error(), training, validation));
    auto& job = prepared->job;
    job.hold = hold;
    job.plan.data_source = training.record.filename;
    if (validation) job.plan.eval_source = validation->record.filename;
    prepared->dataset.source = training.record.filename;
    ROOTSTOCK_CHECKED(refuse_problems(problems_file(job.folder), training, "training_file"));
    if (validation) ROOTSTOCK_CHECKED(refuse_problems(eval_problems_file(job.folder), *validation, "validation_file"));
    ROOTSTOCK_TRY(tokens, count_tokens(job));
    auto hyperparameters = settled(tuning, job.plan.train);
    return OrderedJob{std::move(job), std::move(hyperparameters), tokens, std::move(prepared->summary.warnings),
                      std::move(prepared->dataset)};
}

std::string tuned_model_name(const catalog::Tuning& tuning, const std::string& base) {
    const auto& id = tuning.job.text();
    return "ft:" + base + ":" + tuning.tenant_name + ":" + tuning.suffix + ":" + id.substr(id.size() - 12);
}

std::string result_csv(const fs::path& job_folder) {
    struct Row {
        std::optional<double> train_loss, valid_loss, valid_accuracy;
    };
    std::map<std::int64_t, Row> rows;
    auto text = read_file(events_file(job_folder));
    std::istringstream lines(text ? *text : "");
    for (std::string line; std::getline(lines, line);) {
        auto event = learner_event(line);
        auto step = event ? number_at(*event, "step") : std::nullopt;
        if (!step) continue;
        auto& row = rows[static_cast<std::int64_t>(*step)];
        if (text_at(*event, "event") == "step") row.train_loss = number_at(*event, "loss");
        if (text_at(*event, "event") != "evaluation") continue;
        row.valid_loss = number_at(*event, "loss");
        row.valid_accuracy = number_at(*event, "accuracy");
    }
    auto cell = [](std::optional<double> value) {
        return value ? json::serialize(json::value(*value)) : std::string();
    };
    std::string csv = "step,train_loss,valid_loss,valid_accuracy\n";
    for (const auto& [step, row] : rows) {
        if (!row.train_loss && !row.valid_loss) continue;
        csv += std::to_string(step) + "," + cell(row.train_loss) + "," + cell(row.valid_loss) + "," +
               cell(row.valid_accuracy) + "\n";
    }
    return csv;
}

std::int64_t trained_tokens(const fs::path& job_folder) {
    double tokens = 0, epochs = 0;
    auto text = read_file(events_file(job_folder));
    std::istringstream lines(text ? *text : "");
    for (std::string line; std::getline(lines, line);) {
        auto event = learner_event(line);
        if (!event) continue;
        if (text_at(*event, "event") == "started") tokens = number_at(*event, "tokens").value_or(0);
        if (text_at(*event, "event") == "done") epochs = number_at(*event, "epoch").value_or(0);
    }
    return static_cast<std::int64_t>(tokens * epochs);
}

}  // namespace rootstock
