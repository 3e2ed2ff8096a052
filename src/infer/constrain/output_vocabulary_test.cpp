#include "infer/constrain/output_vocabulary.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "infer/constrain/test_vocabularies.h"

namespace rootstock {
namespace {

const char* const kText = "Hello, world! {\"caf\u00e9\": [1, 2.5]} \u4f60\u597d \U0001F600\n  end";

// What the ids of a text say they add must be what decoding the ids gives.
void same_as_decoding(const Tokenizer& tokenizer, const OutputVocabulary& vocabulary, std::string_view text) {
    std::vector<std::int32_t> ids;
    ASSERT_TRUE(tokenizer.encode_ids(text, {.add_special_tokens = false}, ids));
    std::string bytes;
    for (std::size_t i = 0; i < ids.size(); ++i) bytes += vocabulary.bytes(ids[i], i == 0);
    EXPECT_EQ(bytes, tokenizer.decode(ids));
}

TEST(OutputVocabulary, BytesAddUpToTheDecodedText) {
    for (const auto* name : {"gpt2", "qwen3", "phi-3-mini", "t5-small", "roberta-base", "sentencepiece-unigram-1000"}) {
        SCOPED_TRACE(name);
        auto tokenizer = test::shared_tokenizer(name);
        ASSERT_TRUE(tokenizer) << tokenizer.error().message;
        auto vocabulary = OutputVocabulary::make(*tokenizer, {});
        ASSERT_TRUE(vocabulary) << vocabulary.error().message;
        same_as_decoding(*tokenizer, **vocabulary, kText);
        same_as_decoding(*tokenizer, **vocabulary, "a b  c");
    }
}

TEST(OutputVocabulary, KnowsWhichVocabulariesWriteAllBytes) {
    for (const auto& [name, all] :
         {std::pair{"gpt2", true}, {"qwen3", true}, {"phi-3-mini", true}, {"t5-small", false}}) {
        auto tokenizer = test::shared_tokenizer(name);
        ASSERT_TRUE(tokenizer);
        auto vocabulary = OutputVocabulary::make(*tokenizer, {});
        ASSERT_TRUE(vocabulary);
        EXPECT_EQ((*vocabulary)->writes_all_bytes(), all) << name;
    }
}

TEST(TokenTrie, HoldsEveryTokenOnce) {
    auto trie = TokenTrie::make({{"ab", 1}, {"a", 0}, {"abc", 2}, {"ab", 7}, {"b", 3}, {"\xFF", 4}});
    std::vector<std::pair<std::string, std::int32_t>> found;
    std::string path;
    const auto nodes = trie.nodes();
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        path.resize(nodes[i].depth - 1u);
        path += static_cast<char>(nodes[i].byte);
        for (const auto id : trie.ids(nodes[i])) found.emplace_back(path, id);
        EXPECT_GT(nodes[i].after, static_cast<std::int32_t>(i));
    }
    const std::vector<std::pair<std::string, std::int32_t>> wanted{{"a", 0},   {"ab", 1}, {"ab", 7},
                                                                   {"abc", 2}, {"b", 3},  {"\xFF", 4}};
    EXPECT_EQ(found, wanted);
    EXPECT_EQ(nodes[0].after, static_cast<std::int32_t>(nodes.size()));
    EXPECT_EQ(trie.longest(), 3);
}

}  // namespace
}  // namespace rootstock
