// model/files/gguf: a GGUF file and the model, tensors and tokenizer that it describes, every tensor decoded.

#include "input.h"
#include "model/model.h"

using namespace rootstock;

namespace {

bool is_floating(Dtype dtype) {
    return is_blocks(dtype) || dtype == Dtype::f16 || dtype == Dtype::bf16 || dtype == Dtype::f32 ||
           dtype == Dtype::f64;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto read = parse_gguf(std::as_bytes(std::span(data, size)), "the input");
    if (!read) return 0;
    std::size_t sum = 0;
    for (const auto& [name, tensor] : read->tensors) {
        for (auto byte : tensor.bytes) sum += static_cast<std::size_t>(byte);
        if (tensor.elements() <= 1 << 20 && is_floating(tensor.dtype)) sum += to_floats(tensor).size();
    }
    fuzz::use(sum);
    fuzz::use(gguf_config(*read, "the input").has_value());
    fuzz::use(gguf_tensors(*read, "the input").has_value());
    fuzz::use(gguf_tokenizer_json(*read, "the input").has_value());
    fuzz::use(gguf_tokenizer_config(*read).size());
    return 0;
}
