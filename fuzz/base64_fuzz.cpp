// Base64 out of a request: what is read back is written the same.

#include "app/routes/base64.h"
#include "base/base.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = rootstock::fuzz::as_text(data, size);
    const auto bytes = rootstock::read_base64(text);
    if (!bytes) return 0;
    std::string again;
    rootstock::append_base64(again, *bytes);
    ROOTSTOCK_CHECK(again == text, "another text came back");
    return 0;
}
