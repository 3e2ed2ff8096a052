#include "infer/generate/prefix_store.h"

#include <algorithm>

namespace rootstock {

PrefixStore::~PrefixStore() {
    for (const auto* node : used_) cache_.drop(node->block);
}

PrefixStore::Owner PrefixStore::owner(const WriteRequest& request) {
    return {request.tenant, request.adapter ? request.adapter->serial() : 0};
}

PrefixStore::Tokens PrefixStore::tokens_of(std::span<const std::int32_t> text, int index) const {
    const auto each = static_cast<std::size_t>(cache_.block_tokens());
    const auto part = text.subspan(static_cast<std::size_t>(index) * each, each);
    return {part.begin(), part.end()};
}

// The leaf first and its ancestors after it, so that they stand before it.
void PrefixStore::touch(Node* leaf) {
    for (auto* node = leaf; node; node = node->parent) used_.splice(used_.begin(), used_, node->used);
}

std::span<const int> PrefixStore::find(const WriteRequest& request, std::span<const std::int32_t> text, int blocks) {
    found_.clear();
    const auto tree = trees_.find(owner(request));
    if (tree == trees_.end()) return {};
    const auto* children = &tree->second;
    Node* last = nullptr;
    for (int index = 0; index < blocks; ++index) {
        const auto place = children->find(tokens_of(text, index));
        if (place == children->end()) break;
        last = place->second.get();
        children = &last->children;
        found_.push_back(last->block);
    }
    touch(last);
    return found_;
}

void PrefixStore::keep(const WriteRequest& request, std::span<const std::int32_t> text, int sequence) {
    const int full = static_cast<int>(text.size()) / cache_.block_tokens();
    const auto who = owner(request);
    Node* parent = nullptr;
    for (int index = 0; index < full; ++index) {
        auto tokens = tokens_of(text, index);
        const auto tree = trees_.find(who);
        const auto* known = parent ? &parent->children : tree != trees_.end() ? &tree->second : nullptr;
        if (const auto place = known ? known->find(tokens) : Children::const_iterator{};
            known && place != known->end()) {
            parent = place->second.get();
            touch(parent);
            continue;
        }
        // What was touched just now stands in front: it stays.
        if (blocks() >= blocks_max_ && !give_back(static_cast<std::size_t>(index))) return;
        const int block = cache_.block(sequence, index);
        cache_.hold(block);
        auto& children = parent ? parent->children : trees_[who];
        const auto made = children.emplace(std::move(tokens), std::make_unique<Node>(block, who, parent)).first;
        parent = made->second.get();
        parent->tokens = &made->first;
        parent->used = used_.insert(used_.begin(), parent);
        touch(parent);
    }
}

bool PrefixStore::give_back(std::size_t recent) {
    auto place = used_.rbegin();
    for (auto left = used_.size(); left > recent; --left, ++place)
        if (cache_.only_held((*place)->block)) {
            forget(*place);
            return true;
        }
    return false;
}

void PrefixStore::forget(Node* node) {
    drop(*node);
    const auto who = node->owner;
    auto& siblings = node->parent ? node->parent->children : trees_.at(who);
    siblings.erase(siblings.find(*node->tokens));
    if (trees_.at(who).empty()) trees_.erase(who);
}

void PrefixStore::drop(Node& node) {
    for (auto& [tokens, child] : node.children) drop(*child);
    cache_.drop(node.block);
    used_.erase(node.used);
}

int PrefixStore::spare() const {
    return static_cast<int>(
        std::ranges::count_if(used_, [&](const Node* node) { return cache_.only_held(node->block); }));
}

}  // namespace rootstock
