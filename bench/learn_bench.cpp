// How fast adapters are tuned, and how well one answers.
//
//   learn_bench speed MODEL TRAIN.csv [steps=60] [rank=16] [batch=32] [threads=0]
//       training steps on real rows: examples/s by the wall clock, and per core by processor time, which other
//       work on the machine does not disturb
//   learn_bench accuracy MODEL ADAPTER TEST.csv
//       share of the file's rows that the adapter labels right, bf16 where the CPU has it

#include <omp.h>
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "autograd/autograd.h"
#include "data/data.h"
#include "learn/learn.h"
#include "learn/optim/adamw.h"

namespace rootstock {
namespace {

template <typename T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
}

struct Rows {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::int64_t> labels;
};

Rows read_rows(const std::string& model, const std::string& csv, std::vector<std::string>& labels) {
    TextDatasetOptions options;
    options.known_labels = labels;
    auto dataset = must(read_labelled_texts(csv, options));
    labels = dataset.labels;
    auto tokenizer = must(Tokenizer::load(model));
    Rows rows;
    EncodeOptions limits;
    limits.max_tokens = 128;
    for (const auto& example : dataset.examples) {
        must(tokenizer.encode_ids(example.text, limits, rows.ids.emplace_back()));
        rows.labels.push_back(example.label);
    }
    return rows;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct SpeedOptions {
    std::int64_t steps = 60;
    int rank = 16;
    std::size_t batch = 32;
    int threads = 0;
};

void train(SequenceClassifier& classifier, AdamW& optimiser, const Rows& rows, const std::vector<std::size_t>& chosen) {
    std::vector<std::int64_t> labels;
    for (auto row : chosen) labels.push_back(rows.labels[row]);
    auto staged = must(classifier.stage(pack(rows.ids, chosen)));
    at::cross_entropy_loss(classifier.logits(staged), torch::tensor(labels, torch::kInt64)).backward();
    optimiser.step({1e-3, 1e-3}, clip_scale(gradient_norm(classifier.parameters()), 1.0));
}

void speed(const std::string& folder, const std::string& csv, const SpeedOptions& options) {
    torch::set_num_threads(options.threads > 0 ? options.threads : omp_get_num_procs());
    auto model = must(load_model(folder));
    std::vector<std::string> labels;
    auto rows = read_rows(folder, csv, labels);
    LoraSettings settings;
    settings.rank = options.rank;
    auto placement = choose_placement(model.spec, true);
    auto classifier = must(SequenceClassifier::create(model, settings, static_cast<int>(labels.size()), 1, placement));
    AdamW optimiser(classifier->parameters(), {});
    auto plan = plan_batches(rows.ids.size(), options.batch, 1, 0);
    constexpr std::size_t warm_steps = 10;
    double wall = 0, processor = 0;
    std::int64_t examples = 0, tokens = 0;
    for (std::size_t step = 0; step < static_cast<std::size_t>(options.steps) + warm_steps; ++step) {
        const auto& chosen = plan[step % plan.size()];
        double wall_before = monotonic_seconds(), processor_before = processor_seconds();
        train(*classifier, optimiser, rows, chosen);
        if (step < warm_steps) continue;
        wall += monotonic_seconds() - wall_before;
        processor += processor_seconds() - processor_before;
        examples += static_cast<std::int64_t>(chosen.size());
        for (auto row : chosen) tokens += static_cast<std::int64_t>(rows.ids[row].size());
    }
    auto count = static_cast<double>(examples);
    std::printf(
        "%s, rank %d, batch %zu, %d threads: %.0f examples/s (%.0f tokens/s); %.0f examples per processor second\n",
        placement.description().c_str(), options.rank, options.batch, torch::get_num_threads(), count / wall,
        static_cast<double>(tokens) / wall, count / processor);
}

void accuracy(const std::string& folder, const std::string& adapter_folder, const std::string& csv) {
    torch::NoGradGuard no_gradient;
    auto model = must(load_model(folder));
    auto adapter = must(load_adapter(adapter_folder, model.spec));
    auto labels = adapter.labels;
    auto rows = read_rows(folder, csv, labels);
    auto classifier = must(SequenceClassifier::restore(model, adapter, choose_placement(model.spec, true)));
    std::int64_t right = 0;
    std::vector<std::int32_t> lengths;
    for (const auto& ids : rows.ids) lengths.push_back(static_cast<std::int32_t>(ids.size()));
    for (const auto& chosen : plan_by_tokens(lengths, 1024)) {
        auto best = classifier->logits(must(classifier->stage(pack(rows.ids, chosen)))).argmax(1);
        for (std::size_t i = 0; i < chosen.size(); ++i)
            right += best[static_cast<std::int64_t>(i)].item<std::int64_t>() == rows.labels[chosen[i]];
    }
    std::printf("accuracy %.4f on %zu rows\n", static_cast<double>(right) / static_cast<double>(rows.ids.size()),
                rows.ids.size());
}

}  // namespace
}  // namespace rootstock

int main(int argc, char** argv) {
    rootstock::make_waiting_cheap(argv);
    std::string command = argc > 1 ? argv[1] : "";
    auto number = [&](int place, int otherwise) { return argc > place ? std::atoi(argv[place]) : otherwise; };
    if (command == "speed" && argc >= 4) {
        rootstock::speed(argv[2], argv[3],
                         {number(4, 60), number(5, 16), static_cast<std::size_t>(number(6, 32)), number(7, 0)});
    } else if (command == "accuracy" && argc == 5) {
        rootstock::accuracy(argv[2], argv[3], argv[4]);
    } else {
        std::fputs(
            "usage: learn_bench speed MODEL TRAIN.csv [steps] [rank] [batch] [threads]\n"
            "       learn_bench accuracy MODEL ADAPTER TEST.csv\n",
            stderr);
        return 1;
    }
    return 0;
}
