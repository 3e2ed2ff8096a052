#include <algorithm>
// rootstock score: rows of a table through a table model, on this machine.

#include <cstdio>
#include <span>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct ScoreOptions {
    ScoreOrder order;
    bool csv = false;
};

std::size_t likeliest(std::span<const float> probabilities) {
    return static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
}

std::span<const float> probabilities_of(const ScoredTable& scored, std::size_t row) {
    const auto classes = scored.classes.size();
    return std::span(scored.scores.probabilities).subspan(row * classes, classes);
}

// A field of RFC 4180.
std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

// row,LABEL,probability,P(class)...  or  row,LABEL
void print_csv(const ScoredTable& scored) {
    std::string head = "row," + csv_field(scored.label);
    if (!scored.classes.empty()) head += ",probability";
    for (const auto& name : scored.classes) head += "," + csv_field("P(" + name + ")");
    std::printf("%s\n", head.c_str());
    for (std::size_t i = 0; i < scored.row_numbers.size(); ++i) {
        std::string line = std::to_string(scored.row_numbers[i]) + ",";
        if (scored.classes.empty()) {
            line += fmt::format("{:.9g}", scored.scores.numbers[i]);
        } else {
            const auto probabilities = probabilities_of(scored, i);
            const auto best = likeliest(probabilities);
            line += csv_field(scored.classes[best]) + fmt::format(",{:.6g}", probabilities[best]);
            for (const float probability : probabilities) line += fmt::format(",{:.6g}", probability);
        }
        std::printf("%s\n", line.c_str());
    }
}

json::object row_json(const ScoredTable& scored, std::size_t i) {
    json::object row{{"row", scored.row_numbers[i]}};
    if (scored.classes.empty()) {
        row["value"] = scored.scores.numbers[i];
        return row;
    }
    const auto probabilities = probabilities_of(scored, i);
    json::object of_class;
    for (std::size_t c = 0; c < scored.classes.size(); ++c) of_class[scored.classes[c]] = probabilities[c];
    const auto best = likeliest(probabilities);
    row["value"] = scored.classes[best];
    row["probability"] = probabilities[best];
    row["probabilities"] = std::move(of_class);
    return row;
}

json::array problems_json(const std::vector<Problem>& problems) {
    json::array list;
    for (const auto& problem : problems)
        list.push_back(json::object{
            {"row", problem.row}, {"line", problem.line}, {"field", problem.field}, {"reason", problem.reason}});
    return list;
}

json::object to_json(const ScoredTable& scored) {
    json::array rows;
    for (std::size_t i = 0; i < scored.row_numbers.size(); ++i) rows.push_back(row_json(scored, i));
    return {{"model", scored.model},
            {"label", scored.label},
            {"rows", std::move(rows)},
            {"problems", problems_json(scored.problems)}};
}

Result<void> run_score(const Context& context, const ScoreOptions& options) {
    if (options.csv && context.json)
        return fail(ErrorCode::invalid_argument, "--json and --csv are two forms of one answer: choose one", "csv");
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(scored, score_table(*place.records, place.home, options.order));
    if (context.json) {
        print_json(to_json(scored));
        return {};
    }
    print_csv(scored);
    std::fprintf(stderr, "%zu rows scored by %s\n", scored.row_numbers.size(), scored.model.c_str());
    constexpr std::size_t shown = 10;
    for (std::size_t i = 0; i < std::min(shown, scored.problems.size()); ++i) {
        const auto& problem = scored.problems[i];
        std::fprintf(stderr, "row %lld (line %lld)%s%s: %s\n", static_cast<long long>(problem.row),
                     static_cast<long long>(problem.line), problem.field.empty() ? "" : ", ", problem.field.c_str(),
                     problem.reason.c_str());
    }
    if (scored.problems.size() > shown)
        std::fprintf(stderr, "and %zu more; --json lists them all\n", scored.problems.size() - shown);
    return {};
}

}  // namespace

void add_score_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("score", "Score rows of a table with a model of `finetune --task table`");
    auto options = std::make_shared<ScoreOptions>();
    auto* order = &options->order;
    command->add_option("--model", order->model, "Name (the live version, else the newest), name@version or a folder")
        ->type_name("MODEL")
        ->required();
    command
        ->add_option("FILE", order->data,
                     "Rows: csv, tsv or jsonl, with the columns the model was made from; - is standard input")
        ->required();
    command->add_option("--tenant", order->tenant, "Customer who owns the model [the house]")->type_name("TENANT");
    command->add_flag("--csv", options->csv, "Print CSV [unless --json]");
    command->footer(
        "Prints the row's number, the answer, and for classes the probability of each. Rows that cannot be\n"
        "read are left out and told on standard error, or with --json under `problems`.");
    command->callback([&context, options] { run_command(context, [&] { return run_score(context, *options); }); });
}

}  // namespace rootstock
