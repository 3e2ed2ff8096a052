// rootstock tokenizer encode | decode: what a model's tokenizer makes of texts, one JSON object a line.
// rootstock tokenizer train: a tokenizer.json from raw text.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/commands/commands.h"
#include "data/data.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct TokenizerOptions {
    std::string model, input = "-";
    bool jsonl = false, keep_special = false;
};

// A file, a folder, or a model of this machine by name or id.
Result<Tokenizer> open_tokenizer(const Context& context, const std::string& model) {
    std::error_code code;
    if (std::filesystem::exists(model, code)) return Tokenizer::load_file(model);
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(base, find_base(*place.records, place.home, model));
    return Tokenizer::load(place.home.models() / base.folder);
}

// Calls take(line, number) for every line of the file ("-": standard input).
Result<void> each_line(const std::string& input, const std::function<Result<void>(const std::string&)>& take) {
    std::ifstream file;
    if (input != "-") {
        file.open(input, std::ios::binary);
        if (!file) return fail(ErrorCode::not_found, "cannot read " + input + "; is the name right?", "input");
    }
    std::istream& stream = input == "-" ? std::cin : file;
    std::string line;
    for (std::uint64_t number = 1; std::getline(stream, line); ++number) {
        auto taken = take(line);
        if (taken) continue;
        auto error = std::move(taken.error());
        error.message = "line " + std::to_string(number) + ": " + error.message;
        return fail(std::move(error));
    }
    if (stream.bad()) return fail(ErrorCode::io, "cannot go on reading " + input);
    return {};
}

json::value to_json(const Encoding& encoding) {
    json::array ids, with_specials, tokens, offsets;
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        with_specials.push_back(encoding.ids[i]);
        if (encoding.special[i]) continue;
        ids.push_back(encoding.ids[i]);
        tokens.push_back(json::string(encoding.tokens[i]));
        offsets.push_back(json::array{encoding.offsets[i].begin, encoding.offsets[i].end});
    }
    return json::object{{"ids", std::move(ids)},
                        {"ids_with_specials", std::move(with_specials)},
                        {"tokens", std::move(tokens)},
                        {"offsets", std::move(offsets)}};
}

Result<std::string> text_of(const std::string& line) {
    ROOTSTOCK_TRY(value, parse_json(line, "the line"));
    JsonFields fields(value, "the line");
    fields.ignore_others();
    auto text = fields.required_string("text");
    ROOTSTOCK_CHECKED(fields.finish());
    return text;
}

void print_line(const json::value& value) {
    auto text = json::serialize(value) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<void> encode(const Context& context, const TokenizerOptions& options) {
    ROOTSTOCK_TRY(tokenizer, open_tokenizer(context, options.model));
    return each_line(options.input, [&](const std::string& line) -> Result<void> {
        std::string text = line;
        if (options.jsonl) {
            ROOTSTOCK_TRY(read, text_of(line));
            text = std::move(read);
        }
        ROOTSTOCK_TRY(encoding, tokenizer.encode(text));
        print_line(to_json(encoding));
        return {};
    });
}

// [1, 2, 3], or an object with them under "ids".
Result<std::vector<std::int32_t>> ids_of(const std::string& line) {
    ROOTSTOCK_TRY(value, parse_json(line, "the line"));
    const auto* list = value.if_array();
    if (const auto* object = value.if_object())
        if (const auto* ids = object->if_contains("ids")) list = ids->if_array();
    auto wrong = [] { return fail(ErrorCode::invalid_argument, "must be a list of ids, or an object with \"ids\""); };
    if (!list) return wrong();
    std::vector<std::int32_t> ids;
    for (const auto& id : *list) {
        if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > INT32_MAX) return wrong();
        ids.push_back(static_cast<std::int32_t>(id.get_int64()));
    }
    return ids;
}

Result<void> decode(const Context& context, const TokenizerOptions& options) {
    ROOTSTOCK_TRY(tokenizer, open_tokenizer(context, options.model));
    return each_line(options.input, [&](const std::string& line) -> Result<void> {
        ROOTSTOCK_TRY(ids, ids_of(line));
        print_line(json::object{{"text", tokenizer.decode(ids, !options.keep_special)}});
        return {};
    });
}

struct TrainOptions {
    std::vector<std::string> inputs;
    std::string out, kind = "bpe";
    TrainTokenizerOptions learning;
    bool cased = false, force = false;
};

Result<void> train(const Context& context, const TrainOptions& options) {
    auto learning = options.learning;
    learning.kind = options.kind == "bpe"         ? TokenizerKind::bpe
                    : options.kind == "wordpiece" ? TokenizerKind::wordpiece
                                                  : TokenizerKind::unigram;
    learning.lowercase = !options.cased;
    if (!options.force && std::filesystem::exists(options.out))
        return fail(ErrorCode::already_exists, options.out + " is there already; choose another name or add --force",
                    "out");
    std::optional<Progress> bar;
    std::string shown;
    auto progress = [&](const char* stage, std::uint64_t done, std::uint64_t total) {
        if (context.json) return;
        if (!bar || shown != stage) bar.emplace(stage, total, ""), shown = stage;
        bar->update(done);
    };
    ROOTSTOCK_TRY(text, train_tokenizer({options.inputs.begin(), options.inputs.end()}, learning, progress));
    bar.reset();
    ROOTSTOCK_TRY(tokenizer, Tokenizer::parse(text, options.out));
    ROOTSTOCK_CHECKED(write_file_atomically(options.out, text));
    if (context.json)
        print_json(
            json::object{{"file", options.out}, {"kind", options.kind}, {"vocabulary", tokenizer.vocabulary_size()}});
    else
        std::printf("%s: %s, %s tokens\n", options.out.c_str(), options.kind.c_str(),
                    format_count(tokenizer.vocabulary_size()).c_str());
    return {};
}

void add_train(CLI::App& command, Context& context) {
    auto* action = command.add_subcommand("train", "Learn a tokenizer from raw text files");
    auto options = std::make_shared<TrainOptions>();
    action->add_option("INPUT", options->inputs, "Text files, UTF-8")->required()->type_name("FILE...");
    action->add_option("--out", options->out, "The tokenizer.json to write")->required()->type_name("FILE");
    action->add_option("--kind", options->kind, "What to learn")
        ->check(CLI::IsMember({"bpe", "wordpiece", "unigram"}))
        ->capture_default_str();
    action->add_option("--vocabulary", options->learning.vocabulary_size, "Tokens, special ones included")
        ->check(CLI::Range(1, 1 << 22))
        ->capture_default_str();
    action->add_option("--min-frequency", options->learning.frequency_min, "Rarer pairs are not merged")
        ->capture_default_str();
    action->add_option("--special", options->learning.special_tokens, "Special tokens, instead of the usual ones");
    action->add_flag("--cased", options->cased, "wordpiece: keep capital letters and accents");
    action->add_flag("--force", options->force, "Write over the file");
    action->callback([&context, options] { run_command(context, [&] { return train(context, *options); }); });
}

void add_action(CLI::App& command, Context& context, const char* name, const char* help,
                Result<void> (*run)(const Context&, const TokenizerOptions&)) {
    auto* action = command.add_subcommand(name, help);
    auto options = std::make_shared<TokenizerOptions>();
    action->add_option("--model", options->model, "tokenizer.json, a model's folder, or a model's name or id")
        ->required()
        ->type_name("FILE|FOLDER|MODEL");
    action->add_option("INPUT", options->input, "File to read [standard input]")->type_name("FILE|-");
    if (run == &encode) action->add_flag("--jsonl", options->jsonl, "Lines are JSON objects with a member \"text\"");
    if (run == &decode) action->add_flag("--keep-special", options->keep_special, "Show special tokens in the text");
    action->callback([&context, options, run] { run_command(context, [&] { return run(context, *options); }); });
}

}  // namespace

void add_tokenizer_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("tokenizer", "Texts to token ids and back; new tokenizers");
    command->require_subcommand(1);
    add_action(*command, context, "encode", "Token ids, tokens and character offsets of every line", &encode);
    add_action(*command, context, "decode", "The text of every line of token ids", &decode);
    add_train(*command, context);
}

}  // namespace rootstock
