#pragma once
// Prompts that were read, kept as full blocks of the cache for the next prompt that begins with the same tokens.
//
// A tree for each tenant and adapter: a node is one block, reached from its parent by the block's own tokens, which are
// compared one by one (no hash decides). Nothing is ever found for another tenant or another adapter. Least recently
// used leaves go first; whoever touches a block touches its ancestors, so a block never goes before those behind it.

#include <list>
#include <map>
#include <span>

#include "infer/generate/write_request.h"

namespace rootstock {

class PrefixStore {
public:
    // Holds at most `blocks_max` blocks of the cache, which must outlive it.
    PrefixStore(Cache& cache, int blocks_max) : cache_(cache), blocks_max_(blocks_max) {}
    ~PrefixStore();
    PrefixStore(const PrefixStore&) = delete;
    PrefixStore& operator=(const PrefixStore&) = delete;

    // Blocks of the longest known beginning of `text`, at most `blocks` of them. Valid until the next call.
    std::span<const int> find(const WriteRequest& request, std::span<const std::int32_t> text, int blocks);

    // Keeps the full blocks of `sequence`, which has read `text` (or more behind it).
    void keep(const WriteRequest& request, std::span<const std::int32_t> text, int sequence);

    // Gives one block back to the cache, the least recently used that nobody else uses; false when there is none.
    bool give_back() { return give_back(0); }

    int blocks() const { return static_cast<int>(used_.size()); }
    int spare() const;  // blocks that give_back() could free

private:
    struct Owner {
        TenantId tenant;
        std::uint64_t adapter;  // its serial; 0: the base alone
        auto operator<=>(const Owner&) const = default;
    };
    struct Node;
    using Tokens = std::vector<std::int32_t>;
    using Children = std::map<Tokens, std::unique_ptr<Node>, std::less<>>;
    struct Node {
        int block;
        Owner owner;
        Node* parent;
        const Tokens* tokens = nullptr;  // its key among its parent's children
        std::list<Node*>::iterator used = {};
        Children children = {};
    };

    static Owner owner(const WriteRequest& request);
    Tokens tokens_of(std::span<const std::int32_t> text, int index) const;
    void touch(Node* leaf);
    bool give_back(std::size_t recent);  // none of the most recently used so many
    void forget(Node* node);             // and all behind it
    void drop(Node& node);

    Cache& cache_;
    int blocks_max_;
    std::map<Owner, Children> trees_;
    std::list<Node*> used_;  // the least recently used at the end
    std::vector<int> found_;
};

}  // namespace rootstock
