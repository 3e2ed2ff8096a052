#pragma once
// What stands inside Cache; private to native/.
//
// Memory is cut into blocks of a fixed number of tokens, and a sequence is a table of blocks, so that sequences grow
// and end without moving each other. A block holds for each layer the keys and the values of each key-value head, in
// the layout that products read:
//
//   block = layers x (keys, values)       keys = key_value_heads x packed [head_width, block_tokens]
//                                         values = key_value_heads x packed [block_tokens, head_width]
//
// Forked sequences share blocks; whoever writes into a shared block copies it first.

#include <memory>
#include <span>
#include <vector>

#include "native/kernels/memory.h"
#include "native/parts.h"

namespace rootstock {

// Keys and values that a decoder's cross attention reads: one piece a layer, made once from the encoder's result.
class CrossMemory {
public:
    CrossMemory(const NativeModel::Parts& model, int tokens);

    int tokens() const { return tokens_; }
    KeyValuePiece piece(std::size_t layer) const;

    // keys and values [tokens, key_value_width] at `stride`
    void pack(std::size_t layer, const void* keys, const void* values, std::size_t stride);

private:
    const NativeModel::Parts& model_;
    int tokens_, span_;
    std::size_t keys_step_, values_step_, layer_bytes_;
    HugeMemory memory_;
};

struct Cache::Parts {
    Parts(std::shared_ptr<const NativeModel> native, CacheOptions options);

    struct Sequence {
        bool open = false;
        int length = 0;
        std::vector<int> blocks;
        std::shared_ptr<CrossMemory> cross;
    };

    // Makes room for `more` tokens behind those of the sequence; false when the blocks do not suffice, and nothing
    // changed.
    bool grow(Sequence& sequence, int more);
    int fresh(const Sequence& sequence, int more) const;  // blocks that it would take
    std::size_t blocks_of(int tokens) const;
    bool writes_into_shared(const Sequence& sequence) const;
    void shrink(Sequence& sequence, int length);
    int take_block();
    void drop_block(int block);
    char* layer_keys(int block, std::size_t layer) {
        return static_cast<char*>(memory.data()) + static_cast<std::size_t>(block) * block_bytes + layer * layer_bytes;
    }

    // Puts keys and values of one token at `position`: [key_value_width] numbers each.
    void store(const Sequence& sequence, std::size_t layer, int position, const void* keys, const void* values);

    // The pieces that hold the first `tokens` tokens.
    void pieces(const Sequence& sequence, std::size_t layer, int tokens, std::vector<KeyValuePiece>& out);

    std::shared_ptr<const NativeModel> model;
    int block_tokens;
    Element element;
    std::size_t step;  // bytes of one head's keys in a block, and of its values
    std::size_t values_begin, layer_bytes, block_bytes;
    HugeMemory memory;
    std::vector<int> free_blocks;
    std::vector<int> users;  // sequences that share each block, and who holds it
    std::vector<Sequence> sequences;
};

}  // namespace rootstock
