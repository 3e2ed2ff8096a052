// A build without the CPU kernels of src/autograd/kernels, which need oneDNN and Highway: it says that there are none,
// so every placement takes libtorch's own operations, and calling one is a fault.

#include "autograd/kernels/attention.h"
#include "autograd/kernels/gelu.h"
#include "autograd/kernels/matmul.h"
#include "autograd/kernels/norm.h"
#include "base/base.h"

namespace rootstock {

namespace {

[[noreturn]] void absent() {
    check_failed("bf16_products_available()", "this build has no kernels", __FILE__, __LINE__);
}

}  // namespace

bool bf16_products_available() { return false; }

struct PackedWeights::Layout {};
PackedWeights::PackedWeights(Matrix<const float>, std::int64_t) { absent(); }
PackedWeights::~PackedWeights() = default;
PackedWeights::PackedWeights(PackedWeights&&) noexcept = default;
PackedWeights& PackedWeights::operator=(PackedWeights&&) noexcept = default;
void PackedWeights::write_extra(std::int64_t, std::int64_t, const Bf16*, std::int64_t) { absent(); }
void PackedWeights::multiply(Matrix<const Bf16>, const float*, Matrix<Bf16>) const { absent(); }
void PackedWeights::multiply(Matrix<const Bf16>, const float*, Matrix<float>) const { absent(); }

void multiply(Matrix<const Bf16>, Matrix<const Bf16>, Matrix<Bf16>) { absent(); }
void multiply_transposed(Matrix<const Bf16>, Matrix<const Bf16>, Matrix<Bf16>) { absent(); }
void multiply_over_rows(Matrix<const Bf16>, Matrix<const Bf16>, Matrix<float>) { absent(); }
void gelu_forward(Matrix<const Bf16>, Matrix<Bf16>, Matrix<Bf16>) { absent(); }
void gelu_backward(Matrix<const Bf16>, Matrix<const Bf16>, Matrix<Bf16>) { absent(); }
void add_norm_forward(Matrix<const Bf16>, Matrix<const Bf16>, NormWeights, Matrix<Bf16>, NormTrace) { absent(); }
void add_norm_backward(Matrix<const Bf16>, NormTrace, NormWeights, Matrix<Bf16>) { absent(); }
void embed_norm_forward(EmbeddingTables, EmbeddingIndices, NormWeights, Matrix<Bf16>) { absent(); }
void attention_forward(const AttentionRows&, const AttentionInputs&, Matrix<Bf16>, float*) { absent(); }
void attention_backward(const AttentionRows&, const AttentionInputs&, const float*, Matrix<const Bf16>,
                        const AttentionGradients&) {
    absent();
}

}  // namespace rootstock
