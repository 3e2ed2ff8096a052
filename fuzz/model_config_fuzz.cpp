// model: config.json of a base model to its spec.

#include <fstream>

#include "input.h"
#include "model/model.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::ofstream(fuzz::scratch_folder() / "config.json", std::ios::binary) << fuzz::as_text(data, size);
    auto spec = load_spec(fuzz::scratch_folder());
    fuzz::use(spec.has_value());
    return 0;
}
