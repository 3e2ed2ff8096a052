#include "infer/constrain/output_vocabulary.h"

#include <algorithm>

#include "infer/constrain/shared_masks.h"

namespace rootstock {

namespace {

bool whole_characters(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto character = decode_utf8(bytes);
        if (character.length == 0) return false;
        bytes.remove_prefix(character.length);
    }
    return true;
}

}  // namespace

OutputVocabulary::OutputVocabulary() : shared_masks_(std::make_shared<constrain::SharedMasks>()) {}

TokenTrie TokenTrie::make(std::vector<Token> tokens) {
    std::ranges::sort(
        tokens, [](const Token& a, const Token& b) { return a.bytes != b.bytes ? a.bytes < b.bytes : a.id < b.id; });
    TokenTrie trie;
    trie.nodes_.emplace_back();
    std::vector<std::size_t> path{0};  // the nodes down to the last token
    const auto leave = [&](std::size_t depth) {
        for (; path.size() > depth; path.pop_back())
            trie.nodes_[path.back()].after = static_cast<std::int32_t>(trie.nodes_.size());
    };
    std::string_view last;
    for (const auto& [bytes, id] : tokens) {
        const auto shared = static_cast<std::size_t>(std::ranges::mismatch(last, bytes).in1 - last.begin());
        leave(shared + 1);
        for (auto at = shared; at < bytes.size(); ++at) {
            path.push_back(trie.nodes_.size());
            trie.nodes_.push_back({0, static_cast<std::int32_t>(trie.ids_.size()), 0, static_cast<std::uint8_t>(at + 1),
                                   static_cast<std::uint8_t>(bytes[at])});
        }
        ++trie.nodes_[path.back()].count;
        trie.ids_.push_back(id);
        trie.longest_ = std::max(trie.longest_, static_cast<int>(bytes.size()));
        last = bytes;
    }
    leave(0);
    for (std::size_t i = 1; i < trie.nodes_.size(); i = static_cast<std::size_t>(trie.nodes_[i].after))
        trie.begins_[trie.nodes_[i].byte] = static_cast<std::int32_t>(i);
    return trie;
}

TokenTrie::Match TokenTrie::longest_prefix(std::string_view bytes) const {
    Match longest;
    if (bytes.empty()) return longest;
    auto at = static_cast<std::size_t>(begins_[static_cast<std::uint8_t>(bytes[0])]);
    std::size_t depth = 0, end = at == 0 ? 0 : nodes_.size();
    while (depth < bytes.size() && at < end) {
        const auto& node = nodes_[at];
        if (node.byte != static_cast<std::uint8_t>(bytes[depth])) {
            at = static_cast<std::size_t>(node.after);
            continue;
        }
        ++depth;
        if (node.count > 0) longest = {depth, ids_[static_cast<std::size_t>(node.first)]};
        end = static_cast<std::size_t>(node.after);
        ++at;
    }
    return longest;
}

std::vector<TokenTrie::Token> OutputVocabulary::usable(bool first) const {
    std::vector<TokenTrie::Token> tokens;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        const auto text = bytes(id, first);
        if ((text.empty() && !(first && adds_nothing_first(id))) || text.size() > TokenTrie::bytes_max || ends(id))
            continue;
        if (writes_all_bytes_ || whole_characters(text)) tokens.push_back({std::string(text), id});
    }
    return tokens;
}

bool OutputVocabulary::adds_nothing_first(std::int32_t id) const {
    return first_differs_ && bytes(id, true).empty() && !bytes(id, false).empty() && !ends(id);
}

bool OutputVocabulary::ends(std::int32_t id) const { return std::ranges::find(end_ids_, id) != end_ids_.end(); }

std::string_view OutputVocabulary::bytes(std::int32_t id, bool first) const {
    const auto& all = first && first_differs_ ? first_bytes_ : bytes_;
    return id >= 0 && static_cast<std::size_t>(id) < all.size() ? std::string_view(all[static_cast<std::size_t>(id)])
                                                                : std::string_view();
}

void OutputVocabulary::find_characters() {
    std::array<bool, 256> has{};
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        const auto& bytes = bytes_[i];
        if (bytes.empty() || ends(static_cast<std::int32_t>(i))) continue;
        if (bytes.size() == 1) has[static_cast<unsigned char>(bytes[0])] = true;
        const auto character = decode_utf8(bytes);
        if (character.length == bytes.size()) characters_.push_back(character.code_point);
    }
    // 0xC0, 0xC1 and 0xF5 on stand in no valid text.
    writes_all_bytes_ = true;
    for (std::size_t byte = 0; byte < 0xF5; ++byte)
        writes_all_bytes_ = writes_all_bytes_ && (has[byte] || byte == 0xC0 || byte == 0xC1);
    std::ranges::sort(characters_);
    characters_.erase(std::ranges::unique(characters_).begin(), characters_.end());
}

Result<std::shared_ptr<const OutputVocabulary>> OutputVocabulary::make(const Tokenizer& tokenizer,
                                                                       std::span<const int> end_ids) {
    std::shared_ptr<OutputVocabulary> made(new OutputVocabulary);
    made->end_ids_.assign(end_ids.begin(), end_ids.end());
    const auto size = tokenizer.id_end();
    made->bytes_.resize(size), made->first_bytes_.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
        const auto id = static_cast<std::int32_t>(i);
        auto later = tokenizer.bytes_in_text(id, false), first = tokenizer.bytes_in_text(id, true);
        if (!later || !first)
            return fail(ErrorCode::unsupported,
                        "the text of this model's tokens depends on the tokens that follow, so its output cannot be "
                        "constrained; choose another model",
                        "model");
        made->bytes_[i] = std::move(*later), made->first_bytes_[i] = std::move(*first);
    }
    made->find_characters();
    made->first_differs_ = made->first_bytes_ != made->bytes_;
    made->trie_ = TokenTrie::make(made->usable(false));
    if (made->first_differs_)
        made->first_trie_ = TokenTrie::make(made->usable(true));
    else
        made->first_bytes_.clear();
    return std::shared_ptr<const OutputVocabulary>(std::move(made));
}

}  // namespace rootstock
