#include "data/tokenizer/train_tokenizer.h"

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "data/reader/reader.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/find_tokens.h"
#include "data/tokenizer/trainers.h"

namespace rootstock {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{1} << 26;

// The frame of the new tokenizer.json: all but model and added tokens.
json::object frame_of(const TrainTokenizerOptions& options) {
    auto type = [](const char* name) { return json::object{{"type", name}}; };
    json::object frame{
        {"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", json::array()}};
    frame["normalizer"] = nullptr;
    frame["post_processor"] = nullptr;
    if (options.kind == TokenizerKind::bpe) {
        json::object level{
            {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
        frame["pre_tokenizer"] = level;
        frame["decoder"] = level;
    } else if (options.kind == TokenizerKind::wordpiece) {
        frame["normalizer"] = json::object{{"type", "BertNormalizer"},
                                           {"clean_text", true},
                                           {"handle_chinese_chars", true},
                                           {"strip_accents", nullptr},
                                           {"lowercase", options.lowercase}};
        frame["pre_tokenizer"] = type("BertPreTokenizer");
        frame["decoder"] = json::object{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    } else {
        json::object space{
            {"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}};
        frame["normalizer"] = type("NFKC");
        frame["pre_tokenizer"] = space;
        frame["decoder"] = space;
    }
    return frame;
}

std::vector<std::string> usual_specials(TokenizerKind kind) {
    if (kind == TokenizerKind::bpe) return {"<|endoftext|>"};
    if (kind == TokenizerKind::wordpiece) return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    return {"<unk>", "<s>", "</s>", "<pad>"};
}

// The pieces of the frame, with a model that stands in until there is one.
Result<TokenizerParts> splitting_parts(json::object frame) {
    frame["model"] = json::object{{"type", "WordLevel"}, {"vocab", json::object()}, {"unk_token", ""}};
    return read_tokenizer_json(json::serialize(frame), "the new tokenizer");
}

class Counting {
public:
    Counting(const TokenizerParts& parts, const TrainTokenizerOptions& options) : parts_(parts), options_(options) {}

    Result<void> add_file(const std::filesystem::path& path, const TrainTokenizerProgress& progress,
                          std::uint64_t& bytes, std::uint64_t total) {
        std::ifstream file(path, std::ios::binary);
        if (!file) return fail(ErrorCode::not_found, "cannot read " + path.string() + "; is the name right?", "input");
        std::string line;
        for (std::uint64_t number = 1; std::getline(file, line); ++number) {
            bytes += line.size() + 1;
            auto where = path.string() + ", line " + std::to_string(number);
            if (line.size() > line_bytes_max) return fail(ErrorCode::too_large, where + " is longer than 64 MiB");
            if (find_invalid_utf8(line) != std::string_view::npos)
                return fail(ErrorCode::invalid_argument, where + " is not valid UTF-8; convert the file to UTF-8",
                            "input");
            ROOTSTOCK_CHECKED(add_line(line));
            if (progress && number % 4096 == 0) progress("counting words", bytes, total);
        }
        return {};
    }

    // Sorted, so that the order of a hash table decides nothing.
    std::vector<CountedWord> words() {
        std::vector<CountedWord> out;
        for (auto& [word, count] : counts_) out.push_back({word, count});
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.word < b.word; });
        return out;
    }

private:
    Result<void> add_line(const std::string& line) {
        try {
            each_word(parts_, line, [&](std::string_view word) { ++counts_[std::string(word)]; });
        } catch (const TokenizingFault& fault) {
            return fail(fault.error);
        }
        if (counts_.size() > options_.word_types_max)
            return fail(ErrorCode::too_large, "the text has more than " + std::to_string(options_.word_types_max) +
                                                  " different words; train on a part of it");
        return {};
    }

    const TokenizerParts& parts_;
    const TrainTokenizerOptions& options_;
    std::unordered_map<std::string, std::uint64_t> counts_;
};

json::object vocabulary_of(const std::vector<std::string>& tokens) {
    json::object vocabulary;
    vocabulary.reserve(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) vocabulary[tokens[i]] = i;
    return vocabulary;
}

Result<json::object> bpe_model(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
                               const TrainTokenizerProgress& progress) {
    std::vector<std::string> alphabet;
    for (int byte = 0; byte < 256; ++byte) alphabet.emplace_back(byte_character(static_cast<unsigned char>(byte)));
    ROOTSTOCK_TRY(learned, learn_bpe(words, options, "", alphabet, progress));
    json::array merges;
    for (auto& [left, right] : learned.merges) merges.push_back(json::array{json::string(left), json::string(right)});
    return json::object{{"type", "BPE"},
                        {"dropout", nullptr},
                        {"unk_token", nullptr},
                        {"continuing_subword_prefix", nullptr},
                        {"end_of_word_suffix", nullptr},
                        {"fuse_unk", false},
                        {"byte_fallback", false},
                        {"ignore_merges", false},
                        {"vocab", vocabulary_of(learned.tokens)},
                        {"merges", std::move(merges)}};
}

Result<json::object> wordpiece_model(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
                                     const TrainTokenizerProgress& progress) {
    ROOTSTOCK_TRY(learned, learn_bpe(words, options, "##", {}, progress));
    return json::object{{"type", "WordPiece"},
                        {"unk_token", "[UNK]"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", 100},
                        {"vocab", vocabulary_of(learned.tokens)}};
}

Result<json::object> unigram_model(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
                                   const TrainTokenizerProgress& progress) {
    ROOTSTOCK_TRY(pieces, learn_unigram(words, options, progress));
    json::array vocabulary;
    for (auto& piece : pieces) vocabulary.push_back(json::array{json::string(piece.token), piece.score});
    return json::object{{"type", "Unigram"}, {"unk_id", 0}, {"vocab", std::move(vocabulary)}, {"byte_fallback", false}};
}

json::array added_tokens(const std::vector<std::string>& tokens) {
    json::array list;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        list.push_back(json::object{{"id", i},
                                    {"content", tokens[i]},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
    return list;
}

// [CLS] A [SEP] B [SEP], where the special tokens are BERT's.
void add_bert_template(const std::vector<std::string>& specials, json::object& frame) {
    auto place = [&](const char* token) {
        return std::find(specials.begin(), specials.end(), token) - specials.begin();
    };
    auto count = static_cast<std::ptrdiff_t>(specials.size());
    if (place("[CLS]") == count || place("[SEP]") == count) return;
    frame["post_processor"] = json::object{{"type", "BertProcessing"},
                                           {"sep", json::array{"[SEP]", place("[SEP]")}},
                                           {"cls", json::array{"[CLS]", place("[CLS]")}}};
}

}  // namespace

Result<std::string> train_tokenizer(const std::vector<std::filesystem::path>& files,
                                    const TrainTokenizerOptions& wanted, const TrainTokenizerProgress& progress) {
    auto options = wanted;
    if (options.special_tokens.empty()) options.special_tokens = usual_specials(options.kind);
    bool wordpiece = options.kind == TokenizerKind::wordpiece;
    if (wordpiece && std::ranges::find(options.special_tokens, "[UNK]") == options.special_tokens.end())
        return fail(ErrorCode::invalid_argument, "a WordPiece vocabulary needs the special token [UNK]", "special");
    auto frame = frame_of(options);
    ROOTSTOCK_TRY(parts, splitting_parts(frame));
    std::uint64_t bytes = 0, total = 0;
    std::error_code code;
    for (const auto& file : files) total += std::filesystem::file_size(file, code);
    Counting counting(parts, options);
    for (const auto& file : files) ROOTSTOCK_CHECKED(counting.add_file(file, progress, bytes, total));
    auto words = counting.words();
    if (words.empty()) return fail(ErrorCode::invalid_argument, "there is no text to learn from", "input");
    auto learn = options.kind == TokenizerKind::bpe ? &bpe_model : wordpiece ? &wordpiece_model : &unigram_model;
    ROOTSTOCK_TRY(model, learn(words, options, progress));
    frame["model"] = std::move(model);
    frame["added_tokens"] = added_tokens(options.special_tokens);
    if (wordpiece) add_bert_template(options.special_tokens, frame);
    return json::serialize(frame) + "\n";
}

}  // namespace rootstock
