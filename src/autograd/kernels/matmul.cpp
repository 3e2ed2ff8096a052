#include "autograd/kernels/matmul.h"

#include <compare>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "base/base.h"

namespace rootstock {

using dnnl::memory;
using Type = memory::data_type;

namespace {

dnnl::engine& engine() {
    static dnnl::engine one(dnnl::engine::kind::cpu, 0);
    return one;
}

dnnl::stream& stream() {
    static thread_local dnnl::stream one(engine());
    return one;
}

dnnl::matmul::primitive_desc describe(const memory::desc& left, const memory::desc& right,
                                      const std::optional<memory::desc>& bias, const memory::desc& result) {
#if DNNL_VERSION_MAJOR >= 3
    return bias ? dnnl::matmul::primitive_desc(engine(), left, right, *bias, result)
                : dnnl::matmul::primitive_desc(engine(), left, right, result);
#else
    return bias ? dnnl::matmul::primitive_desc({left, right, *bias, result}, engine())
                : dnnl::matmul::primitive_desc({left, right, result}, engine());
#endif
}

template <typename T>
memory::desc dense(std::int64_t rows, std::int64_t columns, T type) {
    return {{rows, columns}, type, memory::format_tag::ab};
}

template <typename T>
Type type_of() {
    return std::is_same_v<std::remove_const_t<T>, float> ? Type::f32 : Type::bf16;
}

template <typename T>
memory::desc strided(const Matrix<T>& matrix, bool transposed) {
    memory::dims sizes{matrix.rows, matrix.columns}, strides{matrix.stride, 1};
    if (transposed) {
        std::swap(sizes[0], sizes[1]);
        std::swap(strides[0], strides[1]);
    }
    return {sizes, type_of<T>(), strides};
}

template <typename T>
memory wrap(const memory::desc& description, T* data) {
    return memory(description, engine(), const_cast<std::remove_const_t<T>*>(data));
}

}  // namespace

bool bf16_products_available() {
    static const bool available = [] {
        if (dnnl::get_effective_cpu_isa() < dnnl::cpu_isa::avx512_core) return false;
        try {
            describe(dense(16, 64, Type::bf16), dense(64, 64, Type::bf16), {}, dense(16, 64, Type::bf16));
            return true;
        } catch (const dnnl::error&) {
            return false;
        }
    }();
    return available;
}

// The blocked layout of the packed matrix: where element (row, column) lies, and one product per number of rows.
struct PackedWeights::Layout {
    memory::desc description;
    std::vector<std::int64_t> row_places, column_places;  // the place is the sum of both
    mutable std::mutex mutex;
    mutable std::map<std::tuple<std::int64_t, bool, Type>, dnnl::matmul> products;

    void find_places();
    const dnnl::matmul& product(std::int64_t rows, bool bias, Type result, std::int64_t in, std::int64_t out) const;
};

namespace {

// The parts of a blocked layout, under one name for both interfaces of oneDNN.
struct Blocks {
    std::vector<std::int64_t> strides, sizes, dimensions;
};

Blocks blocks_of(const memory::desc& description) {
#if DNNL_VERSION_MAJOR >= 3
    return {description.get_strides(), description.get_inner_blks(), description.get_inner_idxs()};
#else
    const auto& blocking = description.data.format_desc.blocking;
    Blocks blocks;
    blocks.strides.assign(blocking.strides, blocking.strides + description.data.ndims);
    blocks.sizes.assign(blocking.inner_blks, blocking.inner_blks + blocking.inner_nblks);
    blocks.dimensions.assign(blocking.inner_idxs, blocking.inner_idxs + blocking.inner_nblks);
    return blocks;
#endif
}

// What index `index` of dimension `dimension` adds to an element's place: from the innermost block outward, then the
// strides between blocks.
std::int64_t place(const Blocks& blocks, std::int64_t dimension, std::int64_t index) {
    std::int64_t offset = 0, step = 1;
    for (std::size_t i = blocks.sizes.size(); i-- > 0;) {
        if (blocks.dimensions[i] == dimension) {
            offset += index % blocks.sizes[i] * step;
            index /= blocks.sizes[i];
        }
        step *= blocks.sizes[i];
    }
    return offset + index * blocks.strides[static_cast<std::size_t>(dimension)];
}

}  // namespace

void PackedWeights::Layout::find_places() {
    auto blocks = blocks_of(description);
#if DNNL_VERSION_MAJOR >= 3
    auto sizes = description.get_dims();
#else
    auto sizes = description.dims();
#endif
    for (std::int64_t row = 0; row < sizes[0]; ++row) row_places.push_back(place(blocks, 0, row));
    for (std::int64_t column = 0; column < sizes[1]; ++column) column_places.push_back(place(blocks, 1, column));
}

const dnnl::matmul& PackedWeights::Layout::product(std::int64_t rows, bool bias, Type result, std::int64_t in,
                                                   std::int64_t out) const {
    std::lock_guard lock(mutex);
    auto found = products.find({rows, bias, result});
    if (found == products.end()) {
        auto with = bias ? std::optional(dense(1, out, Type::f32)) : std::nullopt;
        auto details = describe(dense(rows, in, Type::bf16), description, with, dense(rows, out, result));
        found = products.emplace(std::tuple(rows, bias, result), dnnl::matmul(details)).first;
    }
    return found->second;
}

PackedWeights::PackedWeights(Matrix<const float> base, std::int64_t extra)
    : in_(base.rows + extra), out_(base.columns), first_extra_(base.rows), layout_(std::make_unique<Layout>()) {
    constexpr std::int64_t usual_rows = 512;
    memory::desc open({in_, out_}, Type::bf16, memory::format_tag::any);
    layout_->description = describe(dense(usual_rows, in_, Type::bf16), open, dense(1, out_, Type::f32),
                                    dense(usual_rows, out_, Type::bf16))
                               .weights_desc();
    layout_->find_places();
    memory_ = allocate_huge(layout_->description.get_size());
    auto* packed = static_cast<Bf16*>(memory_.get());
    for (std::int64_t row = 0; row < base.rows; ++row) {
        auto* line = packed + layout_->row_places[static_cast<std::size_t>(row)];
        for (std::int64_t column = 0; column < out_; ++column)
            line[layout_->column_places[static_cast<std::size_t>(column)]] = to_bf16(base.row(row)[column]);
    }
}

PackedWeights::~PackedWeights() = default;
PackedWeights::PackedWeights(PackedWeights&&) noexcept = default;
PackedWeights& PackedWeights::operator=(PackedWeights&&) noexcept = default;

void PackedWeights::write_extra(std::int64_t row, std::int64_t column, const Bf16* values, std::int64_t count) {
    auto* line = static_cast<Bf16*>(memory_.get()) + layout_->row_places[static_cast<std::size_t>(first_extra_ + row)];
    const auto* places = layout_->column_places.data() + column;
    for (std::int64_t i = 0; i < count; ++i) line[places[i]] = values[i];
}

template <typename T>
void PackedWeights::multiply_into(Matrix<const Bf16> input, const float* bias, Matrix<T> result) const {
    ROOTSTOCK_CHECK(
        input.columns == in_ && input.dense() && result.columns == out_ && result.dense() && input.rows == result.rows,
        "a packed product takes dense matrices of its own sizes");
    const auto& product = layout_->product(input.rows, bias != nullptr, type_of<T>(), in_, out_);
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, wrap(dense(input.rows, in_, Type::bf16), input.data)},
                                              {DNNL_ARG_WEIGHTS, wrap(layout_->description, memory_.get())},
                                              {DNNL_ARG_DST, wrap(dense(input.rows, out_, type_of<T>()), result.data)}};
    if (bias) arguments.emplace(DNNL_ARG_BIAS, wrap(dense(1, out_, Type::f32), bias));
    product.execute(stream(), arguments);
}

void PackedWeights::multiply(Matrix<const Bf16> input, const float* bias, Matrix<Bf16> result) const {
    multiply_into(input, bias, result);
}

void PackedWeights::multiply(Matrix<const Bf16> input, const float* bias, Matrix<float> result) const {
    multiply_into(input, bias, result);
}

namespace {

// Small products by their sizes and strides. One thread learns at a time, so a thread's own map needs no lock.
using SmallShape = std::array<std::int64_t, 9>;

template <typename T>
void run_small(Matrix<const Bf16> left, bool left_transposed, Matrix<const Bf16> right, bool right_transposed,
               Matrix<T> result) {
    static thread_local std::map<SmallShape, dnnl::matmul> products;
    auto left_desc = strided(left, left_transposed);
    auto right_desc = strided(right, right_transposed);
    auto result_desc = strided(result, false);
    SmallShape shape{left.rows,     left.columns, left.stride,      left_transposed, right.rows,
                     right.columns, right.stride, right_transposed, result.stride};
    auto found = products.find(shape);
    if (found == products.end())
        found = products.emplace(shape, dnnl::matmul(describe(left_desc, right_desc, {}, result_desc))).first;
    found->second.execute(stream(), {{DNNL_ARG_SRC, wrap(left_desc, left.data)},
                                     {DNNL_ARG_WEIGHTS, wrap(right_desc, right.data)},
                                     {DNNL_ARG_DST, wrap(result_desc, result.data)}});
}

}  // namespace

void multiply(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<Bf16> result) {
    run_small(left, false, right, false, result);
}

void multiply_transposed(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<Bf16> result) {
    run_small(left, false, right, true, result);
}

void multiply_over_rows(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<float> result) {
    run_small(left, true, right, false, result);
}

}  // namespace rootstock
