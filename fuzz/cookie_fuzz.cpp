// app/pipeline: the Cookie header, after the name that is looked for (up to the first line's end).

#include "app/pipeline/cookie.h"

#include <cstdlib>

#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const auto name = bytes.substr(0, end), header = bytes.substr(std::min(end + 1, bytes.size()));
    const auto value = cookie_in(header, name);
    if (value.empty()) return 0;
    // It stands there, behind its name, and no other cookie is in it.
    const auto at = static_cast<std::size_t>(value.data() - header.data());
    if (at < name.size() + 1 || header.substr(at - name.size() - 1, name.size()) != name || header[at - 1] != '=')
        std::abort();
    if (value.find(';') != std::string_view::npos) std::abort();
    return 0;
}
