#include "native/adapter_layout.h"

#include <atomic>

namespace rootstock {

namespace {

enum class Side { width, queries, keys, inner };

// The modules that share one product of a layer, each with the columns it writes.
struct Group {
    LowRank LayerUpdates::*place;
    Side in;
    struct Member {
        const char* part;
        Side out;
    };
    std::vector<Member> members;
};

const std::vector<Group>& groups() {
    static const std::vector<Group> all{
        {&LayerUpdates::qkv, Side::width, {{"query", Side::queries}, {"key", Side::keys}, {"value", Side::keys}}},
        {&LayerUpdates::attention_output, Side::queries, {{"attention_output", Side::width}}},
        {&LayerUpdates::cross_query, Side::width, {{"cross_query", Side::queries}}},
        {&LayerUpdates::cross_key_value, Side::width, {{"cross_key", Side::keys}, {"cross_value", Side::keys}}},
        {&LayerUpdates::cross_output, Side::queries, {{"cross_attention_output", Side::width}}},
        {&LayerUpdates::gate, Side::width, {{"gate", Side::inner}}},
        {&LayerUpdates::inner, Side::width, {{"inner", Side::inner}}},
        {&LayerUpdates::output, Side::inner, {{"output", Side::width}}}};
    return all;
}

int length(Side side, const TransformerSpec& spec) {
    switch (side) {
        case Side::queries:
            return spec.query_width();
        case Side::keys:
            return spec.key_value_width();
        case Side::inner:
            return spec.inner;
        default:
            return spec.width;
    }
}

// Goes over the pieces in their order, twice as the model's packer does: once for the sum of their bytes.
class AdapterPacker {
public:
    AdapterPacker(const std::vector<AdapterPiece>& pieces, const TransformerSpec& spec, NativeAdapter::Parts& parts)
        : pieces_(pieces), spec_(spec), parts_(parts) {}

    std::size_t measure() {
        visit();
        return bytes_;
    }

    void pack(Filled filled) {
        parts_.arena = Arena(measure(), filled);
        measuring_ = false;
        visit();
    }

private:
    void visit() {
        next_ = bytes_ = 0;
        stack(parts_.layers, spec_.layers);
        stack(parts_.decoder_layers, spec_.decoder_layers);
        parts_.pooler = low_rank({spec_.width}, spec_.width);
        ROOTSTOCK_CHECK(next_ == pieces_.size(), "an adapter has a piece for every module");
    }

    void stack(std::vector<LayerUpdates>& updates, int layers) {
        updates.clear();
        for (int layer = 0; layer < layers; ++layer) {
            auto& u = updates.emplace_back();
            for (const auto& group : groups()) {
                outs_.clear();
                for (const auto& member : group.members) outs_.push_back(length(member.out, spec_));
                u.*group.place = low_rank(outs_, length(group.in, spec_));
            }
        }
    }

    // The next pieces, as many as there are widths; empty when no pair is among them.
    LowRank low_rank(const std::vector<int>& outs, int in) {
        slices_.clear();
        int begin = 0;
        for (const int out : outs) {
            const auto& piece = pieces_.at(next_++);
            if (piece.rank > 0) slices_.push_back({piece.pair, piece.rank, out, begin});
            begin += out;
        }
        bytes_ += LowRank::packed_bytes(slices_, in, parts_.element);
        if (measuring_) return {};
        return {slices_, in, begin, parts_.element, parts_.arena};
    }

    const std::vector<AdapterPiece>& pieces_;
    const TransformerSpec& spec_;
    NativeAdapter::Parts& parts_;
    bool measuring_ = true;
    std::size_t next_ = 0, bytes_ = 0;
    std::vector<int> outs_;
    std::vector<LowRankSlice> slices_;
};

std::unique_ptr<NativeAdapter::Parts> sized_parts(const NativeModel& model) {
    const auto& spec = model.spec();
    auto parts = std::make_unique<NativeAdapter::Parts>();
    parts->width = spec.width;
    parts->inner = spec.inner;
    parts->query_width = spec.query_width();
    parts->key_value_width = spec.key_value_width();
    parts->element = model.parts().element();
    return parts;
}

}  // namespace

std::vector<std::string> adapter_modules(const TransformerSpec& spec) {
    std::vector<std::string> modules;
    const auto stack = [&](int layers, auto name_of) {
        for (int layer = 0; layer < layers; ++layer)
            for (const auto& group : groups())
                for (const auto& member : group.members) modules.push_back(name_of(layer, member.part));
    };
    stack(spec.layers, layer_name);
    stack(spec.decoder_layers, decoder_layer_name);
    modules.emplace_back("pooler");
    return modules;
}

std::unique_ptr<NativeAdapter::Parts> lay_out_adapter(const NativeModel& model, const std::vector<AdapterPiece>& pieces,
                                                      Filled filled) {
    auto parts = sized_parts(model);
    static std::atomic<std::uint64_t> last_serial = 0;
    parts->serial = ++last_serial;
    AdapterPacker(pieces, model.spec(), *parts).pack(filled);
    return parts;
}

std::size_t adapter_bytes(const NativeModel& model, const std::vector<AdapterPiece>& pieces) {
    auto parts = sized_parts(model);
    return AdapterPacker(pieces, model.spec(), *parts).measure();
}

}  // namespace rootstock
