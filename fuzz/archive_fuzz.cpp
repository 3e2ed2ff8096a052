// flow/fetch/archive: a wheel or other zip file, every small entry unpacked.

#include "flow/fetch/archive.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::InputFile file(fuzz::as_text(data, size));
    auto archive = Archive::open(file.path(), {.entries_max = 100, .bytes_max = 32 << 20});
    if (!archive) return 0;
    for (const auto& entry : archive->entries()) {
        if (!is_safe_relative_path(entry.path)) std::abort();
        auto text = archive->read(entry, 1 << 20);
        fuzz::use(text ? text->size() : 0);
    }
    return 0;
}
