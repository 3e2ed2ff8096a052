// Names and layouts of tensors in GGUF files and in Hugging Face folders.

#include <algorithm>
#include <array>
#include <cstring>

#include "model/files/gguf_model.h"

namespace rootstock {

namespace {

struct Names {
    std::string_view gguf, hugging_face;  // without ".weight"; inside a layer without the layer's prefix
};

struct Architecture {
    std::string_view name;
    std::string_view layers;  // "model.layers."
    std::span<const Names> outside, inside;
};

constexpr Names kLlamaOutside[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};
constexpr Names kLlamaInside[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"}};
constexpr Names kGpt2Outside[] = {{"token_embd", "transformer.wte"},
                                  {"position_embd", "transformer.wpe"},
                                  {"output_norm", "transformer.ln_f"},
                                  {"output", "lm_head"}};
constexpr Names kGpt2Inside[] = {{"attn_norm", "ln_1"}, {"attn_qkv", "attn.c_attn"}, {"attn_output", "attn.c_proj"},
                                 {"ffn_norm", "ln_2"},  {"ffn_up", "mlp.c_fc"},      {"ffn_down", "mlp.c_proj"}};
constexpr Names kBertOutside[] = {{"token_embd", "bert.embeddings.word_embeddings"},
                                  {"position_embd", "bert.embeddings.position_embeddings"},
                                  {"token_types", "bert.embeddings.token_type_embeddings"},
                                  {"token_embd_norm", "bert.embeddings.LayerNorm"}};
constexpr Names kBertInside[] = {{"attn_q", "attention.self.query"},
                                 {"attn_k", "attention.self.key"},
                                 {"attn_v", "attention.self.value"},
                                 {"attn_output", "attention.output.dense"},
                                 {"attn_output_norm", "attention.output.LayerNorm"},
                                 {"ffn_up", "intermediate.dense"},
                                 {"ffn_down", "output.dense"},
                                 {"layer_output_norm", "output.LayerNorm"}};

constexpr Architecture kArchitectures[] = {{"llama", "model.layers.", kLlamaOutside, kLlamaInside},
                                           {"qwen2", "model.layers.", kLlamaOutside, kLlamaInside},
                                           {"gpt2", "transformer.h.", kGpt2Outside, kGpt2Inside},
                                           {"bert", "bert.encoder.layer.", kBertOutside, kBertInside}};
constexpr std::string_view kGgufLayers = "blk.";

const Architecture* find(std::string_view name) {
    const auto* found = std::ranges::find(kArchitectures, name, &Architecture::name);
    return found == std::end(kArchitectures) ? nullptr : found;
}

using Field = std::string_view Names::*;

// `name` is "<part>.weight" or "<part>.bias"; the part is looked up on one side and given by the other.
std::string translated(std::span<const Names> names, std::string_view name, Field from, Field to) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return "";
    const auto kind = name.substr(dot);
    if (kind != ".weight" && kind != ".bias") return "";
    for (const auto& entry : names)
        if (entry.*from == name.substr(0, dot)) return std::string(entry.*to) + std::string(kind);
    return "";
}

struct Sides {
    std::string_view from_layers, to_layers;
    Field from, to;
};

std::string translated(const Architecture& architecture, std::string_view name, const Sides& sides) {
    if (!name.starts_with(sides.from_layers)) return translated(architecture.outside, name, sides.from, sides.to);
    const auto rest = name.substr(sides.from_layers.size());
    const auto dot = std::min(rest.find('.'), rest.size());
    const auto number = rest.substr(0, dot);
    const bool digits = !number.empty() && number.size() <= 6 &&
                        std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || dot == rest.size()) return "";
    const auto part = translated(architecture.inside, rest.substr(dot + 1), sides.from, sides.to);
    return part.empty() ? "" : std::string(sides.to_layers) + std::string(number) + "." + part;
}

// Copies whole rows; `place(i)` says where row i comes from.
template <typename Place>
HostTensor with_rows(const HostTensor& tensor, Place place) {
    const auto rows = static_cast<std::size_t>(tensor.shape.front()), size = tensor.bytes.size() / rows;
    std::vector<std::byte> bytes(tensor.bytes.size());
    for (std::size_t i = 0; i < rows; ++i)
        std::memcpy(bytes.data() + i * size, tensor.bytes.data() + place(i) * size, size);
    return make_tensor(tensor.dtype, tensor.shape, std::move(bytes));
}

std::size_t head_rows(const HostTensor& tensor, std::int64_t heads) {
    ROOTSTOCK_CHECK(!tensor.shape.empty() && heads > 0 && tensor.shape.front() % (2 * heads) == 0,
                    "the rows are heads of an even width");
    return static_cast<std::size_t>(tensor.shape.front() / heads);
}

}  // namespace

std::string hugging_face_name(std::string_view architecture, std::string_view gguf_name) {
    const auto* found = find(architecture);
    if (!found) return "";
    return translated(*found, gguf_name, {kGgufLayers, found->layers, &Names::gguf, &Names::hugging_face});
}

std::string gguf_name(std::string_view architecture, std::string_view hugging_face_name) {
    const auto* found = find(architecture);
    if (!found) return "";
    return translated(*found, hugging_face_name, {found->layers, kGgufLayers, &Names::hugging_face, &Names::gguf});
}

GgufLayout gguf_layout(std::string_view architecture, std::string_view gguf_name) {
    const auto is = [&](std::string_view part) { return gguf_name.find(part) != std::string_view::npos; };
    if (architecture == "llama" && (is(".attn_q.") || is(".attn_k."))) return GgufLayout::rotary_rows;
    const bool map =
        is(".attn_qkv.weight") || is(".attn_output.weight") || is(".ffn_up.weight") || is(".ffn_down.weight");
    return architecture == "gpt2" && map ? GgufLayout::transposed : GgufLayout::same;
}

// Row 2 j + t of a head stands for row t width/2 + j of the same head.
HostTensor separated_rows(const HostTensor& tensor, std::int64_t heads) {
    const auto width = head_rows(tensor, heads);
    return with_rows(tensor, [=](std::size_t row) {
        const auto head = row / width * width, in = row % width, half = width / 2;
        return head + 2 * (in % half) + in / half;
    });
}

HostTensor interleaved_rows(const HostTensor& tensor, std::int64_t heads) {
    const auto width = head_rows(tensor, heads);
    return with_rows(tensor, [=](std::size_t row) {
        const auto head = row / width * width, in = row % width, half = width / 2;
        return head + in % 2 * half + in / 2;
    });
}

HostTensor transposed(const HostTensor& matrix) {
    ROOTSTOCK_CHECK(matrix.shape.size() == 2, "a matrix is transposed");
    const auto source = is_blocks(matrix.dtype) ? converted(matrix, Dtype::f32) : matrix;
    const auto rows = static_cast<std::size_t>(matrix.shape[0]), columns = static_cast<std::size_t>(matrix.shape[1]);
    const auto size = size_of(source.dtype);
    std::vector<std::byte> bytes(source.bytes.size());
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns; ++column)
            std::memcpy(bytes.data() + (column * rows + row) * size,
                        source.bytes.data() + (row * columns + column) * size, size);
    return make_tensor(source.dtype, {matrix.shape[1], matrix.shape[0]}, std::move(bytes));
}

}  // namespace rootstock
