#include "infer/constrain/token_masks.h"

#include <algorithm>

#include "infer/constrain/shared_masks.h"

namespace rootstock::constrain {

namespace {

// A mask that takes more is left incomplete: still right, and with a token to go on. Ordinary constraints stay far
// below.
constexpr std::size_t work_max = 1'500'000;
constexpr std::size_t kept_bytes_max = 24 << 20;  // of one constraint's masks; more begin anew
constexpr std::size_t few_ids = 256;
constexpr int prepared_max = 4, many_bytes = 96;

// Reads on along the tokens below `top`, no deeper than `depth_max`, and visits each node that some reading reaches.
template <typename Visit>
void walk(const TokenTrie& trie, std::size_t top, int depth_max, Reader& reader, std::size_t work, const Visit& visit) {
    const auto nodes = trie.nodes();
    const auto base = reader.places();
    const int base_depth = nodes[top].depth;
    const auto end = static_cast<std::size_t>(nodes[top].after);
    const auto limit = reader.work() + work;
    const auto back_to = [&](std::size_t places) {
        while (reader.places() > places) reader.pop();
    };
    for (auto i = top + 1; i < end && reader.work() < limit;) {
        const auto& node = nodes[i];
        back_to(base + static_cast<std::size_t>(node.depth - 1 - base_depth));
        const bool alive = node.depth <= depth_max && reader.push(node.byte);
        if (alive) visit(i, node);
        i = alive && reader.goes_on() ? i + 1 : static_cast<std::size_t>(node.after);
    }
    back_to(base);
}

// Keeps the order of equals; keys are from 0 to `keys` - 1.
template <typename Item, typename Key>
void sort_by_key(std::vector<Item>& items, std::size_t keys, const Key& key) {
    std::vector<std::size_t> places(keys + 1);
    for (const auto& item : items) ++places[static_cast<std::size_t>(key(item)) + 1];
    for (std::size_t i = 1; i <= keys; ++i) places[i] += places[i - 1];
    std::vector<Item> sorted(items.size());
    for (const auto& item : items) sorted[places[static_cast<std::size_t>(key(item))]++] = item;
    items = std::move(sorted);
}

}  // namespace

std::size_t StateMask::size() const {
    return sizeof(StateMask) + bits.size() * 8 + ids.size() * 4 + counted.size() * sizeof(Counted) +
           returns.size() * sizeof(Return);
}

void StateMask::add_to(Bits out, std::int32_t rounds_allowed) const {
    if (!counted.empty() && counted.back().rounds > rounds_allowed) {
        for (const auto& token : counted) {
            if (token.rounds > rounds_allowed) break;
            set_bit(out, token.id);
        }
        return;
    }
    for (std::size_t i = 0; i < std::min(bits.size(), out.size()); ++i) out[i] |= bits[i];
    for (const auto id : ids) set_bit(out, id);
}

StateMask TokenMasks::found(int state, bool first) const {
    const auto& rule = network_->rule(network_->state(state).rule);
    const auto& trie = vocabulary_->trie(first);
    auto reader = Reader::within(*network_, state, rule.loop && !rule.plain_loop);
    const auto nodes = trie.nodes();
    StateMask mask;
    const auto visit = [&](std::size_t i, const TokenTrie::Node& node) {
        std::int32_t rounds = 0, needed = 0;
        if (rule.plain_loop) {
            const auto& at = reader.configurations().front();
            rounds = at.rounds, needed = at.rounds + (network_->state(at.state).head ? 0 : 1);
        }
        for (const auto id : trie.ids(node)) {
            mask.ids.push_back(id);
            if (rule.plain_loop) mask.counted.push_back({needed, id});
        }
        for (const bool at_head : {false, true}) {
            if (at_head ? !reader.at_head() : !reader.ended()) continue;
            const auto end = static_cast<std::size_t>(node.after);
            for (auto child = i + 1; child < end; child = static_cast<std::size_t>(nodes[child].after))
                mask.returns.push_back({static_cast<std::int32_t>(child), rounds, at_head, nodes[child].byte});
        }
    };
    walk(trie, 0, static_cast<int>(TokenTrie::bytes_max), reader, work_max, visit);
    if (reader.work() >= work_max) {
        // Single characters first of all, so that something is allowed whatever the order of the trie.
        mask = {};
        walk(trie, 0, vocabulary_->writes_all_bytes() ? 1 : 4, reader, SIZE_MAX / 2, visit);
        mask.complete = false;
    }
    mask.complete = mask.complete && !reader.dropped();
    sort_by_key(mask.counted, TokenTrie::bytes_max + 2, [](const auto& one) { return one.rounds; });
    sort_by_key(mask.returns, 512, [](const auto& one) { return (one.at_head ? 256 : 0) + one.byte; });
    if (mask.ids.size() > few_ids) {
        mask.bits.assign(vocabulary_->id_end() / 64 + 1, 0);
        for (const auto id : mask.ids) set_bit(mask.bits, id);
        mask.ids.clear();
    }
    mask.ids.shrink_to_fit();
    return mask;
}

std::shared_ptr<const StateMask> TokenMasks::shared_or_found(int state, bool first) const {
    const auto key = SharedMasks::key_of(*network_, state, first);
    auto& shared = vocabulary_->shared_masks();
    if (!key.empty())
        if (auto mask = shared.find(key)) return mask;
    auto mask = std::make_shared<const StateMask>(found(state, first));
    if (!key.empty()) shared.keep(key, mask, mask->size());
    return mask;
}

std::shared_ptr<const StateMask> TokenMasks::mask_of(int state, bool first) {
    const auto key = static_cast<std::int64_t>(state) * 2 + (first ? 1 : 0);
    {
        const std::lock_guard guard(lock_);
        if (const auto kept = kept_.find(key); kept != kept_.end()) return kept->second;
    }
    auto mask = shared_or_found(state, first);
    const std::lock_guard guard(lock_);
    if (kept_bytes_ + mask->size() > kept_bytes_max) kept_.clear(), kept_bytes_ = 0;
    if (kept_.try_emplace(key, mask).second) kept_bytes_ += mask->size();
    return mask;
}

void TokenMasks::prepare() {
    int prepared = 0;
    for (int state = 0; state < network_->states() && prepared < prepared_max; ++state) {
        int following = 0;
        for (const auto& edge : network_->bytes(state)) following += edge.high - edge.low + 1;
        if (following < many_bytes) continue;
        mask_of(state, false);
        ++prepared;
    }
}

bool TokenMasks::mark(Reader& reader, bool first, Bits bits) {
    const auto& trie = vocabulary_->trie(first);
    for (const auto id : trie.ids(trie.nodes()[0])) set_bit(bits, id);  // tokens that add nothing
    const std::vector<Configuration> all(reader.configurations().begin(), reader.configurations().end());
    bool complete = true;
    for (const auto& at : all) {
        if (!reader.takes_bytes(at)) continue;
        const auto mask = mask_of(at.state, first);
        mask->add_to(bits, reader.rounds_left(at).allowed);
        complete = mark_returns(reader, at, *mask, first, bits) && mask->complete && complete;
    }
    return complete && !reader.dropped();
}

bool TokenMasks::mark_returns(Reader& reader, const Configuration& at, const StateMask& mask, bool first, Bits bits) {
    const bool plain = network_->rule(network_->state(at.state).rule).plain_loop;
    const auto rounds = plain ? reader.rounds_left(at) : Reader::Rounds{0, INT32_MAX};
    const std::span<const StateMask::Return> returns = mask.returns;
    bool complete = true;
    for (std::size_t begin = 0, end = 0; begin < returns.size(); begin = end) {
        const bool at_head = returns[begin].at_head;
        while (end < returns.size() && returns[end].at_head == at_head) ++end;
        reader.push_return(at, at_head);
        if (reader.goes_on())
            complete = mark_behind(reader, returns.subspan(begin, end - begin), rounds, first, bits) && complete;
        reader.pop();
    }
    return complete;
}

// The reader stands where the caller goes on. All returns with the same byte go the same way from there.
bool TokenMasks::mark_behind(Reader& reader, std::span<const StateMask::Return> returns, const Reader::Rounds& rounds,
                             bool first, Bits bits) {
    const auto& trie = vocabulary_->trie(first);
    const auto mark = [&](std::size_t, const TokenTrie::Node& node) {
        for (const auto id : trie.ids(node)) set_bit(bits, id);
    };
    const auto limit = reader.work() + work_max;
    for (std::size_t begin = 0, end = 0; begin < returns.size() && reader.work() < limit; begin = end) {
        const auto byte = returns[begin].byte;
        while (end < returns.size() && returns[end].byte == byte) ++end;
        const bool alive = reader.push(byte);
        for (const auto& one : returns.subspan(begin, alive ? end - begin : 0)) {
            if (one.rounds < rounds.needed || one.rounds > rounds.allowed || reader.work() >= limit) continue;
            const auto node = static_cast<std::size_t>(one.node);
            mark(node, trie.nodes()[node]);
            if (reader.goes_on())
                walk(trie, node, static_cast<int>(TokenTrie::bytes_max), reader, limit - reader.work(), mark);
        }
        reader.pop();
    }
    return reader.work() < limit;
}

}  // namespace rootstock::constrain
