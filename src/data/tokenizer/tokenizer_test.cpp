#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data.h"
#include "data/test_places.h"
#include "data/text/utf8.h"
#include "data/tokenizer/bert_normalizer.h"
#include "data/tokenizer/parts.h"

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A tokenizer.json with a few words, and the other parts given.
std::string small_json(std::string_view model = "WordPiece", std::string_view others = "") {
    return fmt::format(R"({{"added_tokens":[{{"id":0,"content":"[UNK]","special":true}}],
        "normalizer":{{"type":"BertNormalizer"}},"pre_tokenizer":{{"type":"BertPreTokenizer"}},
        "post_processor":{{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}},
        "decoder":{{"type":"WordPiece"}},{}
        "model":{{"type":"{}","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
        "vocab":{{"[UNK]":0,"[CLS]":1,"[SEP]":2,"[PAD]":3,"play":4,"##ing":5,"##s":6,"pl":7}}}}}})",
                       others, model);
}

Tokenizer small() { return Tokenizer::parse(small_json(), "small.json").value(); }

void expect_case(const Tokenizer& tokenizer, const json::value& line) {
    auto text = std::string(line.at("text").as_string());
    SCOPED_TRACE("text: " + text);
    auto bare = tokenizer.encode(text, {.add_special_tokens = false}).value();
    EXPECT_EQ(bare.ids, json::value_to<std::vector<std::int32_t>>(line.at("ids")));
    std::vector<CharSpan> offsets;
    for (const auto& pair : line.at("offsets").as_array())
        offsets.push_back({pair.at(0).to_number<std::int32_t>(), pair.at(1).to_number<std::int32_t>()});
    EXPECT_EQ(bare.offsets, offsets);
    std::vector<std::int32_t> ids;
    EXPECT_EQ(tokenizer.encode_ids(text, {.add_special_tokens = false}, ids).value(), bare.ids.size());
    EXPECT_EQ(ids, bare.ids);
    auto pair = tokenizer.encode_pair(text, "a b").value();
    EXPECT_EQ(pair.ids, json::value_to<std::vector<std::int32_t>>(line.at("pair_ids")));
    EXPECT_EQ(pair.type_ids, json::value_to<std::vector<std::int32_t>>(line.at("pair_type_ids")));
    EXPECT_EQ(tokenizer.decode(pair.ids), line.at("decoded").as_string());
    EXPECT_EQ(tokenizer.decode(pair.ids, false), line.at("decoded_with_special").as_string());
}

TEST(Tokenizer, EqualsTheReferenceUnderOtherSettings) {
    auto golden = parse_json(read_file(test::golden() / "tokenizer_settings.json").value(), "golden").value();
    for (const auto& entry : golden.at("settings").as_array()) {
        SCOPED_TRACE(std::string(entry.at("name").as_string()));
        auto tokenizer = Tokenizer::parse(json::serialize(entry.at("tokenizer")), "golden");
        ASSERT_TRUE(tokenizer) << tokenizer.error().message;
        auto parts = read_tokenizer_json(json::serialize(entry.at("tokenizer")), "golden").value();
        for (const auto& line : entry.at("cases").as_array()) {
            TextBuffer normalized;
            parts.normalizer->normalize({std::string_view(line.at("text").as_string()), {}}, normalized);
            EXPECT_EQ(normalized.bytes, line.at("normalized").as_string());
        }
        for (const auto& line : entry.at("cases").as_array()) expect_case(*tokenizer, line);
    }
}

TEST(Tokenizer, NormalisesEveryCodePointLikeTheReference) {
    auto golden = parse_json(read_file(test::golden() / "tokenizer_codepoints.json").value(), "golden").value();
    const auto& blocks = golden.at("normalized_blocks").as_array();
    auto per_block = golden.at("block").to_number<std::int32_t>();
    BertNormalizer normalizer({});
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        std::string normalized;
        auto begin = static_cast<std::int32_t>(b) * per_block;
        for (auto c = begin; c < begin + per_block; ++c) {
            if (c >= 0xD800 && c <= 0xDFFF) continue;
            std::string one;
            append_utf8(one, c);
            TextBuffer out;
            normalizer.normalize({one + " a" + one + "b", {}}, out);
            normalized += out.bytes + "\n";
        }
        EXPECT_EQ(sha256_hex(normalized).substr(0, 16), std::string(blocks[b].as_string())) << "block " << b;
    }
}

TEST(Tokenizer, MarksSpecialTokensAndCountsWhatItCut) {
    auto encoding = small().encode("playing plays", {.max_tokens = 4}).value();
    EXPECT_THAT(encoding.ids, ElementsAre(1, 4, 5, 2));
    EXPECT_THAT(encoding.tokens, ElementsAre("[CLS]", "play", "##ing", "[SEP]"));
    EXPECT_THAT(encoding.special, ElementsAre(1, 0, 0, 1));
    EXPECT_EQ(encoding.full_tokens, 6u);
}

TEST(Tokenizer, FastPathAppendsAndTellsTheFullLength) {
    std::vector<std::int32_t> ids{9};
    EXPECT_EQ(small().encode_ids("playing plays", {.max_tokens = 4}, ids).value(), 6u);
    EXPECT_THAT(ids, ElementsAre(9, 1, 4, 5, 2));
    EXPECT_FALSE(small().encode_ids("bad \xFF", {}, ids));
    EXPECT_FALSE(small().encode_ids("play", {.max_tokens = 1}, ids));
    EXPECT_EQ(ids.size(), 5u) << "nothing is appended on error";
}

TEST(Tokenizer, RefusesInvalidUtf8NamingTheByte) {
    for (std::string text : {"ab\xC3", "ab\xC0\xAF", "ab\xED\xA0\x80", "ab\xF4\x90\x80\x80", "ab\x80"}) {
        auto encoding = small().encode(text);
        ASSERT_FALSE(encoding);
        EXPECT_EQ(encoding.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(encoding.error().message, HasSubstr("byte 2"));
    }
}

TEST(Tokenizer, RefusesLimitsThatLeaveNoRoom) {
    EXPECT_EQ(small().encode("play", {.max_tokens = 1}).error().param, "max_tokens");
    EXPECT_EQ(small().encode("play", {.max_tokens = -1}).error().param, "max_tokens");
    EXPECT_EQ(small().encode("play", {.max_tokens = 2})->ids.size(), 2u);
    EXPECT_FALSE(small().encode("play play", {.max_tokens = 3, .truncation = Truncation::only_second}));
}

TEST(Tokenizer, KnowsItsVocabulary) {
    auto tokenizer = small();
    EXPECT_EQ(tokenizer.vocabulary_size(), 8u);
    EXPECT_EQ(tokenizer.token_id("##ing"), 5);
    EXPECT_EQ(tokenizer.token_id("nothing"), std::nullopt);
    EXPECT_EQ(tokenizer.token(5), "##ing");
    EXPECT_EQ(tokenizer.token(-1), "");
    EXPECT_EQ(tokenizer.token(999), "");
    EXPECT_EQ(tokenizer.pad_id(), 3);
    EXPECT_EQ(tokenizer.cls_id(), 1);
    EXPECT_EQ(tokenizer.sep_id(), 2);
    EXPECT_EQ(tokenizer.unknown_id(), 0);
    EXPECT_EQ(tokenizer.special_tokens_added(), 2u);
}

TEST(Tokenizer, ReadsTheFilesLengthWithoutApplyingIt) {
    auto with = [](std::string_view others) { return Tokenizer::parse(small_json("WordPiece", others), "x").value(); };
    auto limited = with(R"("truncation":{"max_length":3,"strategy":"LongestFirst","stride":0},)");
    EXPECT_EQ(limited.file_max_tokens(), 3);
    EXPECT_EQ(limited.encode("play play play")->ids.size(), 5u);
}

TEST(Tokenizer, NamesWhatItDoesNotKnow) {
    auto tokenizer = Tokenizer::parse(small_json("Quantum"), "tokenizer.json");
    ASSERT_FALSE(tokenizer);
    EXPECT_EQ(tokenizer.error().code, ErrorCode::unsupported);
    EXPECT_THAT(tokenizer.error().message, HasSubstr("the model type 'Quantum'"));
}

TEST(Tokenizer, RefusesDamagedFiles) {
    auto damaged = [](std::string text) {
        auto tokenizer = Tokenizer::parse(text, "tokenizer.json");
        EXPECT_FALSE(tokenizer);
        EXPECT_EQ(tokenizer.error().code, ErrorCode::corrupt) << tokenizer.error().message;
        return tokenizer.error().message;
    };
    auto replaced = [](std::string from, std::string to) {
        auto text = small_json();
        return text.replace(text.find(from), from.size(), to);
    };
    damaged("{");
    damaged("[]");
    damaged("{}");
    EXPECT_THAT(damaged(replaced(R"("[UNK]":0,)", "")), HasSubstr("[UNK]"));
    EXPECT_THAT(damaged(replaced(R"("play":4)", R"("play":"x")")), HasSubstr("'play' has no usable id"));
    EXPECT_THAT(damaged(replaced(R"("play":4)", R"("play":-4)")), HasSubstr("play"));
    EXPECT_THAT(damaged(replaced(R"("id":0)", R"("id":7)")), HasSubstr("[UNK]"));
    EXPECT_THAT(damaged(replaced(R"(["[SEP]",2])", "5")), HasSubstr("sep"));
}

TEST(Tokenizer, LoadsAVocabularyFolderLikeItsTokenizerJson) {
    if (!std::filesystem::exists(test::model_folder() / "vocab.txt"))
        GTEST_SKIP() << "no model folder; set ROOTSTOCK_TEST_MODEL to one of all-MiniLM-L6-v2";
    test::TemporaryFolder folder;
    for (auto name : {"vocab.txt", "tokenizer_config.json"})
        std::filesystem::copy_file(test::model_folder() / name, folder / name);
    auto from_vocabulary = Tokenizer::load(folder.path()).value();
    auto from_json = Tokenizer::load(test::model_folder()).value();
    for (auto text : {"My card hasn't arrived [MASK] yet!", "Caf\u00e9 \u4f60\u597d", ""}) {
        auto one = from_vocabulary.encode_pair(text, "b").value(), two = from_json.encode_pair(text, "b").value();
        EXPECT_EQ(one.ids, two.ids);
        EXPECT_EQ(one.type_ids, two.type_ids);
        EXPECT_EQ(one.offsets, two.offsets);
    }
    EXPECT_EQ(from_vocabulary.file_max_tokens(), 512);
    EXPECT_EQ(from_vocabulary.vocabulary_size(), 30522u);
}

TEST(Tokenizer, SaysWhenAFolderHoldsNone) {
    test::TemporaryFolder folder;
    auto tokenizer = Tokenizer::load(folder.path());
    ASSERT_FALSE(tokenizer);
    EXPECT_EQ(tokenizer.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace rootstock
