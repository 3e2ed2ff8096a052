// What a tuned language model writes, beside its base: greedily, as it will be served.
//
//   chat_bench BASE ROWS.jsonl [ADAPTER] [rows=200] [tokens=24]
//       ROWS are a job folder's rows of tokens (docs/formats/job-folder.md), each with one answer at its end. The share
//       of answers that are word for word the row's, their mean F1 over words (as SQuAD counts it), and the first few.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "data/data.h"
#include "infer/infer.h"
#include "model/model.h"
#include "native/native.h"

namespace rootstock {
namespace {

constexpr std::size_t batch_rows = 16, shown = 3;

template <typename T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
}

struct Question {
    std::vector<std::int32_t> prompt;
    std::string answer;
};

Question question_of(const TokenRow& row, const Tokenizer& tokenizer) {
    const auto last = std::ranges::find_if(row.weights.rbegin(), row.weights.rend(), [](float w) { return w > 0; });
    auto end = row.weights.rend() - last;
    auto begin = end;
    while (begin > 0 && row.weights[static_cast<std::size_t>(begin - 1)] > 0) --begin;
    Question question;
    question.prompt.assign(row.ids.begin(), row.ids.begin() + begin);
    question.answer = tokenizer.decode(
        std::span(row.ids).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    return question;
}

std::map<std::string, int> words_of(const std::string& text) {
    std::map<std::string, int> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) ++words[word];
    return words;
}

double f1(const std::string& found, const std::string& expected) {
    auto left = words_of(found), right = words_of(expected);
    int all_left = 0, all_right = 0, shared = 0;
    for (const auto& [word, count] : left) all_left += count, shared += std::min(count, right[word]);
    for (const auto& [word, count] : right) all_right += count;
    return shared == 0 ? 0 : 2.0 * shared / (all_left + all_right);
}

std::string trimmed(const std::string& text) {
    auto first = text.find_first_not_of(" \n\t"), last = text.find_last_not_of(" \n\t");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

void answers(const std::string& base, const std::string& file, const std::string& adapter_folder, std::size_t rows_max,
             int tokens) {
    auto model = must(load_model(base));
    auto tokenizer = must(Tokenizer::load(base));
    auto rows = must(read_token_rows(file, model.spec.vocabulary));
    rows.resize(std::min(rows.size(), rows_max));
    auto native = must(NativeModel::load(model));
    std::shared_ptr<const NativeAdapter> adapter;
    if (!adapter_folder.empty())
        adapter = must(NativeAdapter::load(*native, must(load_adapter(adapter_folder, model.spec))));
    auto generator = must(Generator::make(native, 16384));
    GenerateOptions options;
    options.tokens_max = tokens;
    options.sampling.temperature = 0;
    std::size_t exact = 0;
    double overlap = 0;
    for (std::size_t first = 0; first < rows.size(); first += batch_rows) {
        std::vector<Question> questions;
        std::vector<std::vector<std::int32_t>> prompts;
        for (auto i = first; i < std::min(rows.size(), first + batch_rows); ++i) {
            questions.push_back(question_of(rows[i], tokenizer));
            prompts.push_back(questions.back().prompt);
        }
        std::vector<const NativeAdapter*> adapters(adapter ? prompts.size() : 0, adapter.get());
        auto written = must(generator.generate(prompts, options, adapters));
        for (std::size_t i = 0; i < questions.size(); ++i) {
            auto found = trimmed(tokenizer.decode(written[i].ids)), expected = trimmed(questions[i].answer);
            exact += found == expected;
            overlap += f1(found, expected);
            if (first + i < shown) std::printf("  wanted: %s\n  said:   %s\n", expected.c_str(), found.c_str());
        }
    }
    const auto count = static_cast<double>(rows.size());
    std::printf("%s: %zu rows, exact %.4f, word F1 %.4f\n", adapter ? "tuned" : "base", rows.size(),
                static_cast<double>(exact) / count, overlap / count);
}

}  // namespace
}  // namespace rootstock

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: chat_bench BASE ROWS.jsonl [ADAPTER or \"\"] [rows=200] [tokens=24]\n", stderr);
        return 1;
    }
    auto number = [&](int place, int otherwise) { return argc > place ? std::atoi(argv[place]) : otherwise; };
    rootstock::answers(argv[1], argv[2], argc > 3 ? argv[3] : "", static_cast<std::size_t>(number(4, 200)),
                       number(5, 24));
    return 0;
}
