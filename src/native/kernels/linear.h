#pragma once
// Linear maps with packed weights: the only file pair that knows oneDNN, in its version 2 or 3.
//
//   y = after(x W' + b)            x [rows, in] -> y [rows, out]
//   y = after(x W' + b + y)        with `add`: what stood in y comes first (low-rank products of adapters)
//
// oneDNN makes one primitive per number of rows. So rows are rounded up to a few sizes (rounded_rows), and x and y must
// have room for the rounded rows; what stands in the surplus rows does not matter.

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

#include "native/kernels/element.h"
#include "native/kernels/memory.h"

namespace rootstock {

enum class After { nothing, gelu_erf, gelu_tanh, gelu_quick, relu, silu, tanh };

struct LinearForm {
    int in = 0;
    int out = 0;
    Element x = Element::fp32;  // weights are packed in the same format
    Element y = Element::fp32;
    After after = After::nothing;
    bool bytes = false;  // weights are rounded to 8 bits, and few rows read them so (bytes.h)
    bool operator==(const LinearForm&) const = default;
};

// 4, 8, then multiples of 16 up to 128, of 32 up to 256, of 64 up to 512, of 128 beyond.
int rounded_rows(int rows);

struct LinearLayout;  // a form and the weight layout that oneDNN wants for it

std::shared_ptr<const LinearLayout> make_layout(const LinearForm& form);
std::size_t packed_bytes(const LinearLayout& layout);  // weights and bias, rounded for an Arena

class Linear {
public:
    Linear() = default;

    // Packs fp32 weights [out, in] and bias [out] into the arena.
    Linear(std::shared_ptr<const LinearLayout> layout, const float* weights, const float* bias, Arena& arena);

    const LinearForm& form() const;

private:
    friend class LinearRunner;
    std::shared_ptr<const LinearLayout> layout_;
    void* weights_ = nullptr;
    void* bytes_ = nullptr;
    void* bias_ = nullptr;
};

// Runs linear maps on a given number of threads. Not shared between threads: it owns the scratch memory. Its primitives
// are bounded by forms x row sizes x 2.
class LinearRunner {
public:
    explicit LinearRunner(int threads);
    ~LinearRunner();
    LinearRunner(LinearRunner&&) noexcept;

    void run(const Linear& linear, const void* x, void* y, int rows, bool add);

    std::size_t primitives() const;  // made so far

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Does the library multiply bf16 with this processor's own instructions? (It can be told to use fewer of them.)
bool library_has_bf16();

// "oneDNN 2.6.3"
std::string linear_library();

// Calls `work`; an exception (of the library, or out of memory) comes back as its text, empty when all went well.
template <typename Work>
std::string guard_library(const Work& work) {
    try {
        work();
        return {};
    } catch (const std::exception& fault) {
        return fault.what();
    }
}

}  // namespace rootstock
