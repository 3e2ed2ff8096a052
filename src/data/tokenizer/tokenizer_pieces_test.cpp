// Every piece a tokenizer.json may name, against the reference library: small tokenizers on hard texts
// (tests/golden/make_tokenizer_pieces_golden.py) and the published ones of the shared data.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "data/data.h"
#include "data/test_places.h"
#include "data/tokenizer/pattern.h"
#include "data/tokenizer/truncation.h"

namespace rootstock {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

constexpr EncodeOptions bare{.add_special_tokens = false};

Ids ids_of(const json::value& line, std::string_view key) { return json::value_to<Ids>(line.at(key)); }

Ids flat(const std::vector<CharSpan>& offsets) {
    Ids out;
    for (auto span : offsets) out.insert(out.end(), {span.begin, span.end});
    return out;
}

std::string streamed(const Tokenizer& tokenizer, const Ids& ids) {
    TextStream stream(tokenizer);
    std::string text;
    for (auto id : ids) {
        auto part = stream.push(id);
        EXPECT_EQ(find_invalid_utf8(part), std::string_view::npos) << "half a character";
        text += part;
    }
    return text + stream.finish();
}

TEST(TokenizerPieces, EqualTheReferenceOnHardTexts) {
    std::map<std::string, Tokenizer> tokenizers;
    std::ifstream file(test::golden() / "tokenizer_pieces.jsonl");
    std::size_t cases = 0;
    for (std::string row; std::getline(file, row); ++cases) {
        auto line = json::parse(row);
        auto name = std::string(line.at("tokenizer").as_string());
        if (!tokenizers.contains(name)) {
            auto loaded = Tokenizer::load_file(test::golden() / "tokenizers" / (name + ".json"));
            ASSERT_TRUE(loaded) << loaded.error().message;
            tokenizers.emplace(name, *loaded);
        }
        const auto& tokenizer = tokenizers.at(name);
        auto text = std::string(line.at("text").as_string());
        SCOPED_TRACE(name + ": " + text);
        auto encoding = tokenizer.encode(text, bare);
        ASSERT_TRUE(encoding) << encoding.error().message;
        EXPECT_EQ(encoding->ids, ids_of(line, "ids"));
        EXPECT_EQ(flat(encoding->offsets), ids_of(line, "offsets"));
        EXPECT_EQ(tokenizer.encode(text)->ids, ids_of(line, "with_special"));
        Ids fast;
        EXPECT_TRUE(tokenizer.encode_ids(text, bare, fast));
        EXPECT_EQ(fast, encoding->ids);
        EXPECT_EQ(tokenizer.decode(fast), line.at("decoded").as_string());
        EXPECT_EQ(streamed(tokenizer, fast), line.at("decoded").as_string());
    }
    EXPECT_GT(cases, 500u);
}

class PublishedTokenizer : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        folder_ = test::shared_data() / "tokenizers" / GetParam();
        if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no shared data sets; set ROOTSTOCK_SHARED_DATA";
        auto model = folder_ / "test_model.model";
        auto loaded = Tokenizer::load_file(std::filesystem::exists(model) ? model : folder_);
        ASSERT_TRUE(loaded) << loaded.error().message;
        tokenizer_.emplace(*loaded);
    }

    std::filesystem::path folder_;
    std::optional<Tokenizer> tokenizer_;
};

TEST_P(PublishedTokenizer, GivesTheExpectedLines) {
    std::ifstream file(folder_ / "expected.jsonl");
    std::size_t cases = 0;
    for (std::string row; std::getline(file, row); ++cases) {
        auto line = json::parse(row);
        auto text = std::string(line.at("text").as_string());
        SCOPED_TRACE(text);
        auto encoding = tokenizer_->encode(text, bare).value();
        EXPECT_EQ(encoding.ids, ids_of(line, "ids"));
        if (const auto* offsets = line.as_object().if_contains("offsets")) {
            Ids expected;
            for (const auto& pair : offsets->as_array())
                for (const auto& end : pair.as_array()) expected.push_back(end.to_number<std::int32_t>());
            EXPECT_EQ(flat(encoding.offsets), expected);
            EXPECT_EQ(encoding.tokens, json::value_to<std::vector<std::string>>(line.at("tokens")));
            EXPECT_EQ(tokenizer_->encode(text)->ids, ids_of(line, "ids_with_special"));
        }
        if (const auto* decoded = line.as_object().if_contains("decoded")) {
            EXPECT_EQ(tokenizer_->decode(encoding.ids), decoded->as_string());
        }
        EXPECT_EQ(streamed(*tokenizer_, encoding.ids), tokenizer_->decode(encoding.ids));
    }
    EXPECT_GE(cases, 66u);
}

INSTANTIATE_TEST_SUITE_P(Shared, PublishedTokenizer,
                         testing::Values("bert-base-uncased", "gpt2", "roberta-base", "phi-3-mini", "qwen3", "t5-small",
                                         "sentencepiece-unigram-1000"));

// Faults that holding the .model file against the sentencepiece library found: its results stand here.
class SentencePieceFile : public testing::Test {
protected:
    void SetUp() override {
        auto file = test::shared_data() / "tokenizers/sentencepiece-unigram-1000/test_model.model";
        if (!std::filesystem::exists(file)) GTEST_SKIP() << "no shared data sets; set ROOTSTOCK_SHARED_DATA";
        tokenizer_.emplace(Tokenizer::load_file(file).value());
    }
    std::optional<Tokenizer> tokenizer_;
};

TEST_F(SentencePieceFile, AWrittenSpaceSymbolLeavesTheSpaceBesideIt) {
    auto encoding = tokenizer_->encode("a\u2581 b", bare).value();
    EXPECT_EQ(encoding.ids, (Ids{11, 4, 80}));
}

TEST_F(SentencePieceFile, OneBlankSpansAllTheSpacesThatItStandsFor) {
    auto encoding = tokenizer_->encode("a  b", bare).value();
    EXPECT_EQ(encoding.ids, (Ids{11, 80}));
    EXPECT_EQ(flat(encoding.offsets), (Ids{0, 1, 1, 4}));
    auto spaced = tokenizer_->encode("\ufb01ne  two   spaces ", bare).value();
    EXPECT_EQ(spaced.ids, (Ids{706, 213, 273, 19, 135, 8}));
    EXPECT_EQ(flat(spaced.offsets), (Ids{0, 3, 3, 8, 8, 13, 13, 14, 14, 16, 16, 17}));
}

// Six dots and four, or one and six and three: cuts of equal worth, between which single precision decides.
TEST_F(SentencePieceFile, TiesGoAsTheyDoInSinglePrecision) {
    EXPECT_EQ(tokenizer_->encode("..........", bare)->ids, (Ids{4, 6, 6, 269, 6, 6}));
}

std::string tiny_bpe(std::string_view pre_tokenizer = "null") {
    return fmt::format(R"({{"pre_tokenizer":{},"model":{{"type":"BPE","vocab":{{"a":0,"b":1,"aa":2,"aaaa":3,"<unk>":4}},
        "merges":[["a","a"],"aa aa"],"unk_token":"<unk>"}}}})",
                       pre_tokenizer);
}

TEST(TokenizerPieces, AMillionCharactersInOneWordTakeNoTime) {
    auto tokenizer = Tokenizer::parse(tiny_bpe(), "tiny").value();
    Ids ids;
    ASSERT_TRUE(tokenizer.encode_ids(std::string(1 << 20, 'a'), bare, ids));
    EXPECT_EQ(ids, Ids(1 << 18, 3));
}

TEST(TokenizerPieces, RefusePatternsByName) {
    auto split = [](std::string_view regex) {
        return Tokenizer::parse(
            tiny_bpe(fmt::format(R"({{"type":"Split","pattern":{{"Regex":"{}"}},"behavior":"Isolated"}})", regex)),
            "x");
    };
    EXPECT_TRUE(split("a+"));
    EXPECT_EQ(split("(a").error().code, ErrorCode::corrupt);
    EXPECT_THAT(split("(a").error().message, HasSubstr("'(a'"));
    EXPECT_EQ(split("[a&&b]").error().code, ErrorCode::unsupported);
    EXPECT_EQ(split("[a[bc]]").error().code, ErrorCode::unsupported);
}

TEST(TokenizerPieces, TranslateOnigurumasSpellings) {
    EXPECT_EQ(translate_pattern("(?m:.)x").value(), "(?s:.)x");
    EXPECT_EQ(translate_pattern(R"(\h+)").value(), "[0-9A-Fa-f]+");
    EXPECT_EQ(translate_pattern(R"(\u00e9)").value(), R"(\x{00e9})");
    EXPECT_EQ(translate_pattern(R"(\p{Lt}[^\r\n])").value(), R"(\p{Lt}[^\r\n])");
}

TEST(TokenizerPieces, OverflowComesInTheReferencesParts) {
    auto tokenizer = Tokenizer::parse(tiny_bpe(R"({"type":"WhitespaceSplit"})"), "tiny").value();
    EncodeOptions options{.max_tokens = 3, .overflow = true, .stride = 1};
    auto encoding = tokenizer.encode("a b a b a b", options).value();
    EXPECT_EQ(encoding.ids, (Ids{0, 1, 0}));
    ASSERT_EQ(encoding.overflowing.size(), 2u);
    EXPECT_EQ(encoding.overflowing[0].ids, (Ids{0, 1, 0}));
    EXPECT_EQ(encoding.overflowing[1].ids, (Ids{0, 1}));
    options.keep_end = true;
    EXPECT_EQ(tokenizer.encode("a b a b a b", options)->ids, (Ids{1, 0, 1}));
    options.stride = 3;
    EXPECT_EQ(tokenizer.encode("a b a b a b", options).error().param, "stride");
}

TEST(TokenizerPieces, DamagedFilesGiveOneSentence) {
    auto code = [](std::string text) { return Tokenizer::parse(text, "x").error().code; };
    EXPECT_EQ(code(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}})"), ErrorCode::corrupt);
    EXPECT_EQ(code(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b c"]}})"), ErrorCode::corrupt);
    EXPECT_EQ(code(R"({"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":7}})"), ErrorCode::corrupt);
    EXPECT_EQ(code(R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"////"},
        "model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}})"),
              ErrorCode::corrupt);
}

TEST(TokenizerPieces, MissingUnknownTokensAreSaidWhenTheyMatter) {
    auto tokenizer = Tokenizer::parse(R"({"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"?"}})", "x").value();
    EXPECT_TRUE(tokenizer.encode("a"));
    EXPECT_EQ(tokenizer.encode("b").error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace rootstock
