#include "infer/constrain/network_constraint.h"

#include <algorithm>

namespace rootstock::constrain {

namespace {

class NetworkState final : public ConstraintState {
public:
    explicit NetworkState(std::shared_ptr<TokenMasks> masks) : masks_(std::move(masks)), reader_(masks_->network()) {}

    void mask(std::span<std::uint64_t> bits) override {
        std::ranges::fill(bits, 0);
        if (may_end())
            for (const auto id : vocabulary().end_ids())
                if (id >= 0) set_bit(bits, id);
        if (!ended_ && !masks_->mark(reader_, first_, bits)) left_out_ = true;
    }

    void accept(std::int32_t id) override {
        ROOTSTOCK_CHECK(!ended_, "a finished text takes no more tokens");
        if (vocabulary().ends(id)) {
            ROOTSTOCK_CHECK(may_end(), "a text ends only where it is complete");
            ended_ = true;
            return;
        }
        const auto bytes = vocabulary().bytes(id, first_);
        ROOTSTOCK_CHECK(!bytes.empty() || (first_ && vocabulary().adds_nothing_first(id)),
                        "only allowed tokens are written");
        for (const char byte : bytes)
            ROOTSTOCK_CHECK(reader_.push(static_cast<std::uint8_t>(byte)), "only allowed tokens are written");
        if (!bytes.empty()) reader_.settle();
        plan_known_ = plan_known_ && plan_.starts_with(bytes);
        if (plan_known_) plan_.erase(0, bytes.size());
        first_ = false;
    }

    bool may_end() const override { return ended_ || reader_.ended(); }
    bool left_out() const override { return left_out_; }
    bool finished() const override { return ended_ || (reader_.ended() && !reader_.goes_on()); }

    int tokens_to_end() override {
        if (may_end()) return 0;
        if (!plan_known_) plan_ = reader_.shortest_end();
        plan_known_ = true;
        return tokens_of(plan_, first_);
    }

    // Two ways to the end are known: what is left of the plan, where the token follows it, and the shortest from there.
    bool fits(std::int32_t id, int tokens_left) override {
        if (vocabulary().ends(id)) return true;
        tokens_to_end();
        const auto bytes = vocabulary().bytes(id, first_);
        if (plan_known_ && plan_.starts_with(bytes) &&
            tokens_of(std::string_view(plan_).substr(bytes.size()), false) <= tokens_left)
            return true;
        for (const char byte : bytes) reader_.push(static_cast<std::uint8_t>(byte));
        const bool enough =
            reader_.bytes_to_end() <= tokens_left || tokens_of(reader_.shortest_end(), false) <= tokens_left;
        for (std::size_t i = 0; i < bytes.size(); ++i) reader_.pop();
        return enough;
    }

    std::int32_t way_out() override {
        if (!may_end()) return tokens_to_end(), vocabulary().trie(first_).longest_prefix(plan_).id;
        return vocabulary().end_ids().empty() ? -1 : vocabulary().end_ids()[0];
    }

private:
    const OutputVocabulary& vocabulary() const { return masks_->vocabulary(); }

    // Tokens that write these bytes, each the longest that does.
    int tokens_of(std::string_view bytes, bool first) const {
        int tokens = 0;
        for (; !bytes.empty(); ++tokens, first = false) {
            const auto token = vocabulary().trie(first).longest_prefix(bytes);
            ROOTSTOCK_CHECK(token.length > 0, "what a network says can be written has tokens");
            bytes.remove_prefix(token.length);
        }
        return tokens;
    }

    std::shared_ptr<TokenMasks> masks_;
    Reader reader_;
    std::string plan_;  // bytes that complete the text
    bool plan_known_ = false, first_ = true, ended_ = false, left_out_ = false;
};

}  // namespace

std::unique_ptr<ConstraintState> NetworkConstraint::begin() const { return std::make_unique<NetworkState>(masks_); }

std::shared_ptr<const Constraint> constraint_of(const Rules& rules, std::shared_ptr<const OutputVocabulary> vocabulary,
                                                Budget& budget) {
    auto network = std::make_shared<const Network>(Network::compile(rules, vocabulary.get(), budget));
    auto made = std::make_shared<const NetworkConstraint>(std::move(network), vocabulary);
    std::vector<std::uint64_t> bits(vocabulary->id_end() / 64 + 1);
    const auto state = made->begin();
    state->mask(bits);
    if (!state->may_end() && std::ranges::all_of(bits, [](auto word) { return word == 0; }))
        refuse(ErrorCode::invalid_argument, "this model's vocabulary has no token that begins such a text",
               "constraint_impossible");
    made->prepare();
    return made;
}

}  // namespace rootstock::constrain
