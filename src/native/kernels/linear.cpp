#include "native/kernels/linear.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <dnnl.hpp>
#include <map>
#include <vector>

#include "base/base.h"
#include "native/kernels/bytes.h"

namespace rootstock {

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

const dnnl::engine& engine() {
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

Type type_of(Element element) { return element == Element::fp32 ? Type::f32 : Type::bf16; }

memory::desc rows_desc(int rows, int width, Element element) { return {{rows, width}, type_of(element), Tag::ab}; }

memory::desc plain_weights_desc(const LinearForm& form) { return {{form.out, form.in}, Type::f32, Tag::ab}; }

memory::desc bias_desc(const LinearForm& form) { return {{form.out}, Type::f32, Tag::a}; }

dnnl::algorithm algorithm_of(After after) {
    switch (after) {
        case After::gelu_erf:
            return dnnl::algorithm::eltwise_gelu_erf;
        case After::gelu_tanh:
            return dnnl::algorithm::eltwise_gelu_tanh;
        case After::relu:
            return dnnl::algorithm::eltwise_relu;
        case After::gelu_quick:
        case After::silu:
            return dnnl::algorithm::eltwise_swish;  // x sigmoid(alpha x)
        default:
            return dnnl::algorithm::eltwise_tanh;
    }
}

float alpha_of(After after) { return after == After::gelu_quick ? 1.702f : after == After::silu ? 1.0f : 0.0f; }

dnnl::primitive_attr attributes(After after, bool add) {
    dnnl::post_ops steps;
    if (add) steps.append_sum(1.0f);
    if (after != After::nothing) {
#if DNNL_VERSION_MAJOR >= 3
        steps.append_eltwise(algorithm_of(after), alpha_of(after), 0);
#else
        steps.append_eltwise(1.0f, algorithm_of(after), alpha_of(after), 0);
#endif
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(steps);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

// oneDNN lays its work out for the OpenMP threads it sees; this says how many it shall see while it lives.
class Threads {
public:
    explicit Threads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
    ~Threads() { omp_set_num_threads(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

private:
    int before_;
};

using Product = dnnl::inner_product_forward;

Product::primitive_desc describe(const LinearForm& form, const memory::desc& weights, int rows, bool add) {
    const auto x = rows_desc(rows, form.in, form.x), y = rows_desc(rows, form.out, form.y);
    const auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return {engine(), kind, x, weights, bias_desc(form), y, attributes(form.after, add)};
#else
    return {Product::desc(kind, x, weights, bias_desc(form), y), attributes(form.after, add), engine()};
#endif
}

}  // namespace

struct LinearLayout {
    LinearForm form;
    memory::desc weights;
};

int rounded_rows(int rows) {
    if (rows <= 4) return 4;
    if (rows <= 8) return 8;
    if (rows <= 128) return round_up(rows, 16);
    if (rows <= 256) return round_up(rows, 32);
    if (rows <= 512) return round_up(rows, 64);
    return round_up(rows, 128);
}

std::shared_ptr<const LinearLayout> make_layout(const LinearForm& form) {
    constexpr int kTypicalRows = 128;
    const memory::desc any({form.out, form.in}, type_of(form.x), Tag::any);
    return std::make_shared<LinearLayout>(LinearLayout{form, describe(form, any, kTypicalRows, false).weights_desc()});
}

std::size_t packed_bytes(const LinearLayout& layout) {
    const auto& form = layout.form;
    return Arena::rounded(layout.weights.get_size()) + Arena::rounded(static_cast<std::size_t>(form.out) * 4) +
           (form.bytes ? Arena::rounded(bytes::packed_bytes(form.in, form.out)) : 0);
}

Linear::Linear(std::shared_ptr<const LinearLayout> layout, const float* weights, const float* bias, Arena& arena)
    : layout_(std::move(layout)) {
    const auto& form = layout_->form;
    std::vector<float> rounded;
    if (form.bytes) {
        rounded.assign(weights, weights + static_cast<std::size_t>(form.in) * static_cast<std::size_t>(form.out));
        bytes_ = arena.take(bytes::packed_bytes(form.in, form.out));
        bytes::pack(rounded.data(), form.in, form.out, bytes_);
        weights = rounded.data();
    }
    weights_ = arena.take(layout_->weights.get_size());
    memory from(plain_weights_desc(form), engine(), const_cast<float*>(weights));
    memory to(layout_->weights, engine(), weights_);
    const Threads one(1);  // reading the file is what takes time; threads would only wait for each other
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    const auto bias_bytes = static_cast<std::size_t>(form.out) * sizeof(float);
    bias_ = arena.take(bias_bytes);
    if (bias) std::memcpy(bias_, bias, bias_bytes);
}

const LinearForm& Linear::form() const { return layout_->form; }

namespace {

// A primitive with its arguments laid out once; a run only turns the handles.
struct Prepared {
    Prepared(const LinearLayout& layout, int rows, bool add)
        : description(describe(layout.form, layout.weights, rows, add)),
          primitive(description),
          x(description.src_desc(), engine(), nullptr),
          weights(description.weights_desc(), engine(), nullptr),
          bias(description.bias_desc(), engine(), nullptr),
          y(description.dst_desc(), engine(), nullptr),
          scratch(description.scratchpad_desc(), engine(), nullptr),
          scratch_bytes(description.scratchpad_desc().get_size()),
          arguments{dnnl_exec_arg_t{DNNL_ARG_SRC, x.get()}, dnnl_exec_arg_t{DNNL_ARG_WEIGHTS, weights.get()},
                    dnnl_exec_arg_t{DNNL_ARG_BIAS, bias.get()}, dnnl_exec_arg_t{DNNL_ARG_DST, y.get()},
                    dnnl_exec_arg_t{DNNL_ARG_SCRATCHPAD, scratch.get()}} {}

    Product::primitive_desc description;
    Product primitive;
    memory x, weights, bias, y, scratch;
    std::size_t scratch_bytes;
    std::array<dnnl_exec_arg_t, 5> arguments;
};

struct Key {
    const LinearLayout* layout;
    int rows;
    bool add;
    auto operator<=>(const Key&) const = default;
};

}  // namespace

struct LinearRunner::State {
    int threads = 1;
    dnnl::stream stream{engine()};
    Workspace scratch{};
    std::map<Key, std::unique_ptr<Prepared>> prepared{};

    Prepared& prepare(const Linear& linear, const Key& key) {
        auto& place = prepared[key];
        if (!place) {
            const Threads seen(threads);
            place = std::make_unique<Prepared>(*linear.layout_, key.rows, key.add);
        }
        return *place;
    }

    void run_bytes(const Linear& linear, const void* x, void* y, int rows, bool add);
    const float* floats_of(const LinearForm& form, const void* x, int rows);
    Workspace floats{}, sums{};
};

// x [rows, in rounded up to whole blocks] in fp32.
const float* LinearRunner::State::floats_of(const LinearForm& form, const void* x, int rows) {
    const auto in = static_cast<std::size_t>(form.in),
               stride = static_cast<std::size_t>(round_up(form.in, bytes::kBlock));
    if (form.x == Element::fp32 && in == stride) return static_cast<const float*>(x);
    auto* out = floats.get<float>(static_cast<std::size_t>(rows) * stride);
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        auto* line = out + row * stride;
        if (form.x == Element::fp32)
            std::memcpy(line, static_cast<const float*>(x) + row * in, in * sizeof(float));
        else
            bytes::to_floats(static_cast<const std::uint16_t*>(x) + row * in, in, line);
        std::fill(line + in, line + stride, 0.0f);
    }
    return out;
}

// Every thread reads its own share of the weights.
void LinearRunner::State::run_bytes(const Linear& linear, const void* x, void* y, int rows, bool add) {
    const auto& form = linear.form();
    const int groups = bytes::groups(form.out);
    const auto x_stride = static_cast<std::size_t>(round_up(form.in, bytes::kBlock)),
               out = static_cast<std::size_t>(form.out), sums_stride = static_cast<std::size_t>(groups) * bytes::kGroup;
    const auto* from = floats_of(form, x, rows);
    auto* all = sums.get<float>(static_cast<std::size_t>(rows) * sums_stride);
    const auto* bias = static_cast<const float*>(linear.bias_);
    const auto share = [&](int part) {
        const int begin = groups * part / threads, end = groups * (part + 1) / threads;
        if (begin == end) return;
        bytes::product(linear.bytes_, from, x_stride, rows, form.in, begin, end, all, sums_stride);
        const auto first = static_cast<std::size_t>(begin) * bytes::kGroup,
                   count = std::min(static_cast<std::size_t>(end) * bytes::kGroup, out) - first;
        for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
            const auto* made = all + row * sums_stride + first;
            if (form.y == Element::fp32)
                bytes::finish(made, bias + first, add, form.after, count, static_cast<float*>(y) + row * out + first);
            else
                bytes::finish(made, bias + first, add, form.after, count,
                              static_cast<std::uint16_t*>(y) + row * out + first);
        }
    };
    if (threads == 1) return share(0);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int part = 0; part < threads; ++part) share(part);
}

LinearRunner::LinearRunner(int threads) : state_(new State{.threads = threads}) {}
LinearRunner::~LinearRunner() = default;
LinearRunner::LinearRunner(LinearRunner&&) noexcept = default;

void LinearRunner::run(const Linear& linear, const void* x, void* y, int rows, bool add) {
    if (linear.bytes_ && rows <= bytes::kRowsMax) return state_->run_bytes(linear, x, y, rows, add);
    auto& ready = state_->prepare(linear, {linear.layout_.get(), rounded_rows(rows), add});
    ready.x.set_data_handle(const_cast<void*>(x));
    ready.y.set_data_handle(y);
    ready.weights.set_data_handle(linear.weights_);
    ready.bias.set_data_handle(linear.bias_);
    ready.scratch.set_data_handle(state_->scratch.bytes(ready.scratch_bytes));
    // The C call: the C++ one copies the arguments into fresh memory each time.
    dnnl::error::wrap_c_api(dnnl_primitive_execute(ready.primitive.get(), state_->stream.get(),
                                                   static_cast<int>(ready.arguments.size()), ready.arguments.data()),
                            "the product could not be executed");
}

std::size_t LinearRunner::primitives() const { return state_->prepared.size(); }

bool library_has_bf16() {
    const LinearForm form{64, 64, Element::bf16, Element::bf16, After::nothing};
    const memory::desc any({form.out, form.in}, Type::bf16, Tag::any);
    std::string kernel;
    const auto refusal = guard_library([&] { kernel = describe(form, any, 16, false).impl_info_str(); });
    return refusal.empty() && kernel.find("avx512_core") != std::string::npos;
}

std::string linear_library() {
    const auto* version = dnnl_version();
    return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
           std::to_string(version->patch);
}

}  // namespace rootstock
