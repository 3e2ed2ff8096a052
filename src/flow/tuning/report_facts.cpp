#include "flow/tuning/report_facts.h"

#include <cstdio>

namespace rootstock {
namespace {

std::string as_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string joined(const std::vector<std::string>& words, const char* when_empty) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? when_empty : text;
}

void add_number(std::vector<ReportFact>& facts, const json::object& done, std::string_view key, const char* name,
                double scale = 1, const char* unit = "") {
    const auto* value = done.if_contains(key);
    if (!value || !value->is_number()) return;
    char text[48];
    std::snprintf(text, sizeof text, "%.4g%s", value->to_number<double>() * scale, unit);
    facts.push_back({name, text});
}

void add_head_facts(std::vector<ReportFact>& facts, const TrainSettings& train) {
    double head_rate = train.head_learning_rate > 0 ? train.head_learning_rate : train.learning_rate;
    facts.push_back({"learning rate of the head", as_text(head_rate)});
    facts.push_back({"label smoothing", as_text(train.label_smoothing)});
}

std::vector<ReportFact> table_facts(const TableSettings& table) {
    return {
        {"blocks", std::to_string(table.blocks)},
        {"width", std::to_string(table.width)},
        {"heads", std::to_string(table.heads)},
        {"width of the MLP, times width", as_text(table.inner)},
        {"dropout on attention, in the MLP, on sums",
         as_text(table.attention_dropout) + ", " + as_text(table.inner_dropout) + ", " + as_text(table.hidden_dropout)},
        {"classes count the same", table.balanced_classes ? "yes" : "no"}};
}

std::vector<ReportFact> lora_facts(const LoraSettings& lora) {
    return {{"LoRA rank", std::to_string(lora.rank)},
            {"LoRA alpha", as_text(lora.alpha)},
            {"LoRA dropout", as_text(lora.dropout)},
            {"LoRA targets", joined(lora.targets, "all linear maps")}};
}

}  // namespace

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::vector<ReportFact> settings_facts(const TuningPlan& plan) {
    const auto& train = plan.train;
    const bool table = plan.task == "table";
    std::vector<ReportFact> facts{{table ? "model" : "base model", plan.base_name}};
    auto add = [&](const auto& more) { facts.insert(facts.end(), std::begin(more), std::end(more)); };
    add(table ? table_facts(plan.table) : lora_facts(plan.lora));
    const ReportFact steps[] = {{"epochs at most", std::to_string(train.epochs)},
                                {"examples a step", std::to_string(train.batch_examples)},
                                {"learning rate", as_text(train.learning_rate)}};
    add(steps);
    if (plan.task == "classify") add_head_facts(facts, train);
    const ReportFact others[] = {{"weight decay", as_text(train.weight_decay)},
                                 {"warm-up share", as_text(train.warmup)},
                                 {"validation share", as_text(train.validation)},
                                 {"patience", std::to_string(train.patience)},
                                 {"seed", std::to_string(train.seed)}};
    add(others);
    if (table) return facts;
    facts.push_back({"longest text in tokens", std::to_string(train.max_tokens)});
    facts.push_back({"matrix products", train.bf16 ? "bf16" : "fp32"});
    return facts;
}

std::vector<ReportFact> lineage_facts(const TuningJob& job, const std::string& measured_on, const json::object& done,
                                      const std::string& executor) {
    const auto& plan = job.plan;
    std::vector<ReportFact> facts{{"job", job.id.text()},
                                  {"tuned on", file_name(plan.data_source)},
                                  {"SHA-256 of the tuning file", plan.dataset_digest}};
    if (!plan.text_column.empty()) facts.push_back({"text column", plan.text_column});
    if (!plan.label_column.empty()) facts.push_back({"label column", plan.label_column});
    facts.push_back({"measured on", measured_on});
    if (!plan.eval_digest.empty()) facts.push_back({"SHA-256 of the measuring file", plan.eval_digest});
    if (!plan.base_digest.empty()) facts.push_back({"base digest", plan.base_digest});
    facts.push_back({"measured with", executor});
    add_number(facts, done, "epoch", "epochs run");
    add_number(facts, done, "trained_tokens", "tokens trained on");
    add_number(facts, done, "train_seconds", "seconds of training");
    add_number(facts, done, "examples_per_s", "training examples per second");
    add_number(facts, done, "peak_rss_bytes", "peak memory of the learner", 1e-6, " MB");
    add_number(facts, done, "best_accuracy", "best validation accuracy");
    add_number(facts, done, "best_r2", "best validation R2");
    add_number(facts, done, "best_mean_token_accuracy", "best validation token accuracy");
    return facts;
}

}  // namespace rootstock
