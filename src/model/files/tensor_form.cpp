#include "model/files/tensor_form.h"

#include <cstring>

namespace rootstock {

namespace {

using Shape = std::vector<std::int64_t>;

// Without leading ones, and with all behind the first size in one: [768, 3, 16, 16] -> [768, 768].
Shape flattened(std::span<const std::int64_t> shape, std::size_t rank) {
    while (shape.size() > rank && shape.front() == 1) shape = shape.subspan(1);
    Shape flat(shape.begin(), shape.end());
    while (flat.size() > rank && flat.size() > 1) {
        const auto last = flat.back();
        flat.pop_back();
        flat.back() *= last;
    }
    return flat;
}

HostTensor with_shape(const HostTensor& tensor, std::span<const std::int64_t> shape) {
    auto same = tensor;
    same.shape.assign(shape.begin(), shape.end());
    return same;
}

// Columns [begin, begin + out) of [in, columns] as rows.
HostTensor transposed(const HostTensor& tensor, std::size_t begin, std::size_t out) {
    const auto in = static_cast<std::size_t>(tensor.shape[0]), columns = static_cast<std::size_t>(tensor.shape[1]);
    const auto size = size_of(tensor.dtype);
    const auto bytes = std::make_shared<std::vector<std::byte>>(in * out * size);
    constexpr std::size_t kBlock = 32;
    for (std::size_t first = 0; first < in; first += kBlock)
        for (std::size_t o = 0; o < out; ++o)
            for (std::size_t i = first; i < std::min(in, first + kBlock); ++i)
                std::memcpy(bytes->data() + (o * in + i) * size, tensor.bytes.data() + (i * columns + begin + o) * size,
                            size);
    return {tensor.dtype, {static_cast<std::int64_t>(out), tensor.shape[0]}, *bytes, bytes};
}

}  // namespace

std::optional<HostTensor> in_our_form(const HostTensor& tensor, TensorForm form, std::span<const std::int64_t> wanted) {
    if (wanted.empty()) return std::nullopt;
    // Blocks run along rows: pieces of a fused map and transposed maps are taken from their numbers.
    if (is_blocks(tensor.dtype) && (form.transposed || form.parts > 1))
        return in_our_form(make_tensor(tensor.shape, to_floats(tensor)), form, wanted);
    const bool matrix = wanted.size() == 2;
    Shape whole(wanted.begin(), wanted.end());
    whole.front() *= form.parts;
    if (form.transposed && matrix) std::swap(whole[0], whole[1]);
    if (flattened(tensor.shape, wanted.size()) != whole) return std::nullopt;
    if (is_blocks(tensor.dtype) && (form.transposed || form.parts > 1))  // blocks cannot be cut
        return in_our_form(converted(tensor, Dtype::f32), form, wanted);
    const auto out = static_cast<std::size_t>(wanted.front()), part = static_cast<std::size_t>(form.part);
    if (form.transposed && matrix) return transposed(with_shape(tensor, whole), part * out, out);
    if (form.parts == 1) return with_shape(tensor, wanted);
    auto piece = with_shape(tensor, wanted);
    const auto bytes = static_cast<std::size_t>(piece.elements()) * size_of(piece.dtype);
    piece.bytes = tensor.bytes.subspan(part * bytes, bytes);
    return piece;
}

}  // namespace rootstock
