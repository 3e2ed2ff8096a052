// model/files/safetensors: a weights file, every byte of every tensor touched.

#include "input.h"
#include "model/model.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::InputFile file(fuzz::as_text(data, size));
    auto read = read_safetensors(file.path());
    if (!read) return 0;
    std::size_t sum = 0;
    for (const auto& [name, tensor] : read->tensors) {
        sum += static_cast<std::size_t>(tensor.elements());
        for (auto byte : tensor.bytes) sum += static_cast<std::size_t>(byte);
    }
    fuzz::use(sum);
    return 0;
}
