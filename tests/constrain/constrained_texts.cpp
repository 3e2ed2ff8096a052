// Texts of a real model under a constraint, through the writer, for model_texts.py.
//
//   constrained_texts MODEL
//   {"source": schema, "prompt": "...", "choices": 4, "seed": 1, "tokens_max": 100, "temperature": 1}
//   -> {"error": "..."}  or  {"texts": [...], "finish": ["stop", "length", ...], "tokens": 123, "seconds": 1.5}

#include <future>
#include <iostream>

#include "infer/infer.h"
#include "model/model.h"

namespace rootstock {
namespace {

struct Model {
    Tokenizer tokenizer;
    SharedVocabulary vocabulary;
    std::unique_ptr<Writer> writer;
};

Result<Model> open(const std::filesystem::path& folder) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(folder));
    ROOTSTOCK_TRY(model, load_model(folder));
    ROOTSTOCK_TRY(vocabulary, OutputVocabulary::make(tokenizer, model.spec.end_ids));
    ROOTSTOCK_TRY(native, NativeModel::load(model));
    ROOTSTOCK_TRY(writer, Writer::make(std::move(native)));
    return Model{tokenizer, vocabulary, std::move(writer)};
}

Result<json::object> write(Model& model, const json::object& task) {
    ROOTSTOCK_TRY(constraint, compile_json_schema(task.at("source"), model.vocabulary));
    WriteRequest request;
    ROOTSTOCK_TRY(length, model.tokenizer.encode_ids(task.at("prompt").as_string(), {}, request.prompt));
    request.constraint = constraint;
    request.choices = static_cast<int>(task.at("choices").as_int64());
    request.options.tokens_max = static_cast<int>(task.at("tokens_max").as_int64());
    request.options.sampling.temperature = task.at("temperature").to_number<double>();
    request.options.sampling.seed = static_cast<std::uint64_t>(task.at("seed").as_int64());
    std::promise<Result<WriteAnswer>> promise;
    const auto begin = monotonic_seconds();
    model.writer->submit(std::move(request), {},
                         [&](Result<WriteAnswer> answer) { promise.set_value(std::move(answer)); });
    ROOTSTOCK_TRY(answer, promise.get_future().get());
    json::array texts, finish;
    for (const auto& choice : answer.choices) {
        texts.emplace_back(model.tokenizer.decode(choice.ids));
        finish.emplace_back(choice.finish == Finish::stop ? "stop" : "length");
    }
    return json::object{{"texts", texts},
                        {"finish", finish},
                        {"prompt_tokens", length},
                        {"tokens", answer.completion_tokens},
                        {"seconds", monotonic_seconds() - begin}};
}

Result<void> run(const char* folder) {
    ROOTSTOCK_TRY(model, open(folder));
    for (std::string line; std::getline(std::cin, line);) {
        ROOTSTOCK_TRY(task, parse_json(line, "the task"));
        auto answer = write(model, task.as_object());
        std::cout << json::serialize(answer ? *answer : json::object{{"error", answer.error().message}}) << std::endl;
    }
    return {};
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    if (count != 2) return std::cerr << "constrained_texts MODEL\n", 2;
    const auto done = rootstock::run(words[1]);
    if (!done) std::cerr << done.error().message << "\n";
    return done ? 0 : 1;
}
