#include <algorithm>
#include <cstring>

#include "native/cache/cache_parts.h"
#include "native/kernels/arithmetic.h"

namespace rootstock {

namespace {

constexpr std::size_t kWord = 4;  // bytes of a packed word in both formats

std::size_t layers_of(const NativeModel::Parts& model) {
    return (model.has_two_stacks() ? model.decoder : model.encoder).layers.size();
}

template <typename Ops>
void pack_head(const void* keys, const void* values, std::size_t stride, int tokens, int width, int span, char* to_keys,
               char* to_values) {
    using Number = typename Ops::Number;
    using Packed = typename Ops::Packed;
    Ops::pack_columns(static_cast<const Number*>(keys), stride, tokens, width, reinterpret_cast<Packed*>(to_keys),
                      span);
    Ops::pack_rows(static_cast<const Number*>(values), stride, tokens, width, reinterpret_cast<Packed*>(to_values));
}

}  // namespace

CrossMemory::CrossMemory(const NativeModel::Parts& model, int tokens)
    : model_(model),
      tokens_(tokens),
      span_(round_up(tokens, 16)),
      keys_step_(static_cast<std::size_t>(model.spec.head_width) * static_cast<std::size_t>(span_) *
                 size_of(model.element())),
      values_step_(static_cast<std::size_t>(model.spec.head_width) * static_cast<std::size_t>(round_up(tokens, 2)) *
                   size_of(model.element())),
      layer_bytes_(static_cast<std::size_t>(model.spec.key_value_heads) * (keys_step_ + values_step_)),
      memory_(layer_bytes_ * model.decoder.layers.size()) {}

KeyValuePiece CrossMemory::piece(std::size_t layer) const {
    const auto* keys = static_cast<const char*>(memory_.data()) + layer * layer_bytes_;
    const auto* values = keys + static_cast<std::size_t>(model_.spec.key_value_heads) * keys_step_;
    return {keys, values, keys_step_, values_step_, 0, tokens_, span_};
}

void CrossMemory::pack(std::size_t layer, const void* keys, const void* values, std::size_t stride) {
    const auto place = piece(layer);
    const auto pack = model_.element() == Element::bf16 ? pack_head<Bf16Ops> : pack_head<Fp32Ops>;
    const auto head_bytes = static_cast<std::size_t>(model_.spec.head_width) * size_of(model_.element());
    for (int head = 0; head < model_.spec.key_value_heads; ++head) {
        const auto at = static_cast<std::size_t>(head);
        pack(static_cast<const char*>(keys) + at * head_bytes, static_cast<const char*>(values) + at * head_bytes,
             stride, tokens_, model_.spec.head_width, span_,
             const_cast<char*>(static_cast<const char*>(place.keys)) + at * keys_step_,
             const_cast<char*>(static_cast<const char*>(place.values)) + at * values_step_);
    }
}

Cache::Parts::Parts(std::shared_ptr<const NativeModel> native, CacheOptions options)
    : model(std::move(native)),
      block_tokens(round_up(std::max(options.block_tokens, 16), 16)),
      element(model->parts().element()) {
    const auto& spec = model->spec();
    const int blocks = std::max(1, (options.tokens + block_tokens - 1) / block_tokens);
    step = static_cast<std::size_t>(spec.head_width) * static_cast<std::size_t>(block_tokens) * size_of(element);
    values_begin = static_cast<std::size_t>(spec.key_value_heads) * step;
    layer_bytes = 2 * values_begin;
    block_bytes = layer_bytes * layers_of(model->parts());
    memory = HugeMemory(block_bytes * static_cast<std::size_t>(blocks));
    users.assign(static_cast<std::size_t>(blocks), 0);
    for (int block = blocks - 1; block >= 0; --block) free_blocks.push_back(block);
}

int Cache::Parts::take_block() {
    const int block = free_blocks.back();
    free_blocks.pop_back();
    users[static_cast<std::size_t>(block)] = 1;
    return block;
}

void Cache::Parts::drop_block(int block) {
    if (--users[static_cast<std::size_t>(block)] == 0) free_blocks.push_back(block);
}

std::size_t Cache::Parts::blocks_of(int tokens) const {
    return static_cast<std::size_t>((tokens + block_tokens - 1) / block_tokens);
}

bool Cache::Parts::writes_into_shared(const Sequence& sequence) const {
    const auto written = static_cast<std::size_t>(sequence.length / block_tokens);
    return written < sequence.blocks.size() && users[static_cast<std::size_t>(sequence.blocks[written])] > 1;
}

int Cache::Parts::fresh(const Sequence& sequence, int more) const {
    const auto wanted = blocks_of(sequence.length + more);
    return static_cast<int>(wanted - std::min(wanted, sequence.blocks.size())) + (writes_into_shared(sequence) ? 1 : 0);
}

bool Cache::Parts::grow(Sequence& sequence, int more) {
    const auto wanted = blocks_of(sequence.length + more);
    if (static_cast<std::size_t>(fresh(sequence, more)) > free_blocks.size()) return false;
    if (writes_into_shared(sequence)) {
        const auto written = static_cast<std::size_t>(sequence.length / block_tokens);
        const int block = take_block();
        std::memcpy(layer_keys(block, 0), layer_keys(sequence.blocks[written], 0), block_bytes);
        drop_block(sequence.blocks[written]);
        sequence.blocks[written] = block;
    }
    while (sequence.blocks.size() < wanted) sequence.blocks.push_back(take_block());
    return true;
}

void Cache::Parts::shrink(Sequence& sequence, int length) {
    const auto kept = blocks_of(length);
    for (; sequence.blocks.size() > kept; sequence.blocks.pop_back()) drop_block(sequence.blocks.back());
    sequence.length = length;
}

void Cache::Parts::store(const Sequence& sequence, std::size_t layer, int position, const void* keys,
                         const void* values) {
    const auto& spec = model->spec();
    const auto token = static_cast<std::size_t>(position % block_tokens), span = static_cast<std::size_t>(block_tokens);
    const auto d = static_cast<std::size_t>(spec.head_width), head_bytes = d * size_of(element);
    char* place = layer_keys(sequence.blocks[static_cast<std::size_t>(position / block_tokens)], layer);
    for (std::size_t head = 0; head < static_cast<std::size_t>(spec.key_value_heads); ++head) {
        const auto* key = static_cast<const char*>(keys) + head * head_bytes;
        const auto* value = static_cast<const char*>(values) + head * head_bytes;
        char* to_key = place + head * step + token * kWord;
        for (std::size_t word = 0; word < head_bytes / kWord; ++word)
            std::memcpy(to_key + word * span * kWord, key + word * kWord, kWord);
        char* to_value = place + values_begin + head * step;
        if (element == Element::fp32) {
            std::memcpy(to_value + token * head_bytes, value, head_bytes);
            continue;
        }
        to_value += token / 2 * d * kWord;
        for (std::size_t i = 0; i < d; ++i) {
            std::uint16_t number;
            std::memcpy(&number, value + 2 * i, sizeof(number));
            const std::uint32_t pair = number;  // an even token clears the odd one's half behind it
            if (token % 2 == 0)
                std::memcpy(to_value + i * kWord, &pair, kWord);
            else
                std::memcpy(to_value + i * kWord + 2, &number, sizeof(number));
        }
    }
}

void Cache::Parts::pieces(const Sequence& sequence, std::size_t layer, int tokens, std::vector<KeyValuePiece>& out) {
    out.clear();
    for (int begin = 0; begin < tokens; begin += block_tokens) {
        const char* keys = layer_keys(sequence.blocks[static_cast<std::size_t>(begin / block_tokens)], layer);
        out.push_back(
            {keys, keys + values_begin, step, step, begin, std::min(block_tokens, tokens - begin), block_tokens});
    }
}

Cache::Cache(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Cache::~Cache() = default;
Cache::Cache(Cache&&) noexcept = default;
Cache& Cache::operator=(Cache&&) noexcept = default;

Result<Cache> Cache::make(std::shared_ptr<const NativeModel> model, CacheOptions options) {
    const auto& spec = model->spec();
    const bool decodes = spec.attention == AttentionDirection::causal || spec.decoder_layers > 0;
    if (!decodes || spec.inputs != Inputs::tokens)
        return fail(ErrorCode::unsupported, "a " + spec.family + " model does not write on, so it needs no cache");
    std::unique_ptr<Parts> parts;
    const auto fault = guard_library([&] { parts = std::make_unique<Parts>(std::move(model), options); });
    if (!fault.empty())
        return fail(ErrorCode::overloaded,
                    "there is no memory for a cache of " + std::to_string(options.tokens) + " tokens; ask for fewer");
    return Cache(std::move(parts));
}

int Cache::open() {
    auto& all = parts_->sequences;
    const auto place = std::ranges::find(all, false, &Parts::Sequence::open);
    const auto index = place - all.begin();
    if (place == all.end()) all.emplace_back();
    all[static_cast<std::size_t>(index)] = {true, 0, {}, nullptr};
    return static_cast<int>(index);
}

namespace {

Cache::Parts::Sequence& opened(Cache::Parts& parts, int sequence) {
    ROOTSTOCK_CHECK(sequence >= 0 && static_cast<std::size_t>(sequence) < parts.sequences.size() &&
                        parts.sequences[static_cast<std::size_t>(sequence)].open,
                    "a sequence is open while it is used");
    return parts.sequences[static_cast<std::size_t>(sequence)];
}

}  // namespace

int Cache::fork(int sequence) {
    const int copy = open();
    const auto& from = opened(*parts_, sequence);
    for (const int block : from.blocks) ++parts_->users[static_cast<std::size_t>(block)];
    parts_->sequences[static_cast<std::size_t>(copy)] = from;
    return copy;
}

void Cache::truncate(int sequence, int length) {
    auto& from = opened(*parts_, sequence);
    ROOTSTOCK_CHECK(length >= 0 && length <= from.length, "a sequence is truncated to what it has");
    parts_->shrink(from, length);
}

void Cache::close(int sequence) {
    auto& from = opened(*parts_, sequence);
    parts_->shrink(from, 0);
    from = {};
}

int Cache::length(int sequence) const { return opened(*parts_, sequence).length; }

int Cache::free_tokens() const { return static_cast<int>(parts_->free_blocks.size()) * parts_->block_tokens; }

int Cache::block_tokens() const { return parts_->block_tokens; }
std::size_t Cache::block_bytes() const { return parts_->block_bytes; }
int Cache::blocks() const { return static_cast<int>(parts_->users.size()); }
int Cache::free_blocks() const { return static_cast<int>(parts_->free_blocks.size()); }

int Cache::blocks_wanted(int sequence, int more) const { return parts_->fresh(opened(*parts_, sequence), more); }

int Cache::block(int sequence, int index) const {
    const auto& from = opened(*parts_, sequence);
    ROOTSTOCK_CHECK(index >= 0 && (index + 1) * parts_->block_tokens <= from.length, "only full blocks are asked for");
    return from.blocks[static_cast<std::size_t>(index)];
}

void Cache::hold(int block) { ++parts_->users.at(static_cast<std::size_t>(block)); }

void Cache::drop(int block) {
    ROOTSTOCK_CHECK(parts_->users.at(static_cast<std::size_t>(block)) > 0, "a block is dropped by who holds it");
    parts_->drop_block(block);
}

bool Cache::only_held(int block) const { return parts_->users.at(static_cast<std::size_t>(block)) == 1; }

void Cache::begin(int sequence, std::span<const int> blocks) {
    auto& to = opened(*parts_, sequence);
    ROOTSTOCK_CHECK(to.length == 0, "only an empty sequence gets a past");
    for (const int block : blocks) hold(block);
    to.blocks.assign(blocks.begin(), blocks.end());
    to.length = static_cast<int>(blocks.size()) * parts_->block_tokens;
}

}  // namespace rootstock
