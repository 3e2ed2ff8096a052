// Equal to the reference library on every line of the shared data sets, on every Unicode code point and on hard
// cases. The layouts are explained in tests/golden/make_tokenizer_golden.py.

#include <gtest/gtest.h>

#include <fstream>

#include "data/data.h"
#include "data/test_places.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr EncodeOptions bare{.add_special_tokens = false};

class TokenizerGolden : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(test::model_folder() / "tokenizer.json"))
            GTEST_SKIP() << "no model folder; set ROOTSTOCK_TEST_MODEL to one of all-MiniLM-L6-v2";
        auto loaded = Tokenizer::load(test::model_folder());
        ASSERT_TRUE(loaded) << loaded.error().message;
        tokenizer_.emplace(*loaded);
    }

    std::string row(std::string_view text) {
        auto encoding = tokenizer_->encode(text, bare);
        EXPECT_TRUE(encoding) << text;
        std::vector<std::int32_t> ids;
        EXPECT_EQ(tokenizer_->encode_ids(text, bare, ids).value(), encoding->ids.size());
        EXPECT_EQ(ids, encoding->ids) << "the fast path differs on: " << text;
        std::string out;
        for (std::size_t i = 0; i < ids.size(); ++i)
            out += std::to_string(ids[i]) + "," + std::to_string(encoding->offsets[i].begin) + "," +
                   std::to_string(encoding->offsets[i].end) + ";";
        return out + "\n";
    }

    std::string digest(std::span<const std::string> texts) {
        std::string rows;
        for (const auto& text : texts) rows += row(text);
        return sha256_hex(rows).substr(0, 16);
    }

    std::optional<Tokenizer> tokenizer_;
};

json::value read_golden(const std::string& name) {
    auto text = read_file(test::golden() / name);
    EXPECT_TRUE(text) << text.error().message;
    return parse_json(*text, name).value();
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    while (true) {
        auto at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + separator.size());
    }
}

std::vector<std::string> split_lines(std::string_view text) {
    auto lines = split(text, "\n");
    if (lines.back().empty()) lines.pop_back();
    return lines;
}

std::vector<std::string> squad_texts(const json::value& file) {
    std::vector<std::string> texts;
    for (const auto& article : file.at("data").as_array())
        for (const auto& paragraph : article.at("paragraphs").as_array()) {
            texts.emplace_back(paragraph.at("context").as_string());
            for (const auto& question : paragraph.at("qas").as_array())
                texts.emplace_back(question.at("question").as_string());
        }
    return texts;
}

std::vector<std::string> texts_of(std::string_view kind, const std::string& text) {
    if (kind == "lines") return split_lines(text);
    if (kind == "squad") return squad_texts(json::parse(text));
    if (kind == "ggml") {
        auto parts = split(text, "\n__ggml_vocab_test__\n");
        parts.pop_back();
        return parts;
    }
    std::vector<std::string> texts;
    for (const auto& line : split_lines(text)) texts.emplace_back(json::parse(line).at("text").as_string());
    return texts;
}

template <typename T>
std::vector<T> numbers(const json::value& list) {
    return json::value_to<std::vector<T>>(list);
}

std::vector<CharSpan> spans(const json::value& list) {
    std::vector<CharSpan> out;
    for (const auto& pair : list.as_array())
        out.push_back(
            {static_cast<std::int32_t>(pair.at(0).as_int64()), static_cast<std::int32_t>(pair.at(1).as_int64())});
    return out;
}

std::string as_text(const json::value& value) { return std::string(value.as_string()); }

TEST_F(TokenizerGolden, EqualsTheReferenceOnEveryLineOfTheSharedData) {
    if (!std::filesystem::exists(test::shared_data()))
        GTEST_SKIP() << "no shared data sets; set ROOTSTOCK_SHARED_DATA to their folder";
    auto golden = read_golden("tokenizer_lines.json");
    auto per_block = static_cast<std::size_t>(golden.at("block").as_int64());
    std::size_t texts_compared = 0;
    for (const auto& file : golden.at("files").as_array()) {
        auto path = test::shared_data() / as_text(file.at("path"));
        auto text = read_file(path);
        ASSERT_TRUE(text) << text.error().message;
        auto texts = texts_of(file.at("kind").as_string(), *text);
        ASSERT_EQ(texts.size(), static_cast<std::size_t>(file.at("texts").as_int64())) << path;
        const auto& blocks = file.at("blocks").as_array();
        for (std::size_t b = 0; b < blocks.size(); ++b) {
            auto begin = b * per_block;
            auto block = std::span(texts).subspan(begin, std::min(per_block, texts.size() - begin));
            EXPECT_EQ(digest(block), as_text(blocks[b])) << path << ", block " << b;
            texts_compared += block.size();
        }
    }
    EXPECT_GT(texts_compared, 300'000u);
}

TEST_F(TokenizerGolden, EqualsTheReferenceOnEveryCodePoint) {
    auto golden = read_golden("tokenizer_codepoints.json");
    const auto& blocks = golden.at("blocks").as_array();
    auto per_block = static_cast<std::int32_t>(golden.at("block").as_int64());
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        std::vector<std::string> texts;
        auto begin = static_cast<std::int32_t>(b) * per_block;
        for (auto c = begin; c < begin + per_block; ++c) {
            if (c >= 0xD800 && c <= 0xDFFF) continue;
            std::string one;
            append_utf8(one, c);
            texts.push_back(one + " a" + one + "b");
        }
        EXPECT_EQ(digest(texts), as_text(blocks[b])) << "block " << b;
    }
}

Truncation strategy_of(const json::value& line) {
    auto name = as_text(line.at("strategy"));
    return name == "only_first"    ? Truncation::only_first
           : name == "only_second" ? Truncation::only_second
                                   : Truncation::longest_first;
}

TEST_F(TokenizerGolden, EqualsTheReferenceOnHardCasesPairsAndTruncation) {
    std::ifstream file(test::golden() / "tokenizer_cases.jsonl");
    std::string text_line;
    std::size_t cases = 0;
    for (; std::getline(file, text_line); ++cases) {
        auto line = json::parse(text_line);
        SCOPED_TRACE(as_text(line.at("name")));
        auto encode = [&](EncodeOptions options) {
            auto text = as_text(line.at("text"));
            const auto* pair = line.as_object().if_contains("pair");
            return pair ? tokenizer_->encode_pair(text, as_text(*pair), options).value()
                        : tokenizer_->encode(text, options).value();
        };
        EncodeOptions options;
        if (as_text(line.at("kind")) == "truncated") {
            options.max_tokens = static_cast<std::int32_t>(line.at("max_length").as_int64());
            options.truncation = strategy_of(line);
            EXPECT_EQ(encode(options).offsets, spans(line.at("offsets_with_special")));
        } else {
            auto encoding = encode(bare);
            EXPECT_EQ(encoding.ids, numbers<std::int32_t>(line.at("ids")));
            EXPECT_EQ(encoding.tokens, numbers<std::string>(line.at("tokens")));
            EXPECT_EQ(encoding.offsets, spans(line.at("offsets")));
        }
        auto whole = encode(options);
        EXPECT_EQ(whole.ids, numbers<std::int32_t>(line.at("ids_with_special")));
        EXPECT_EQ(whole.type_ids, numbers<std::int32_t>(line.at("type_ids_with_special")));
    }
    EXPECT_GT(cases, 150u);
}

}  // namespace
}  // namespace rootstock
