// app/routes: the cursor of a list, as a caller hands it back.

#include "app/routes/cursor.h"

#include <cstdlib>

#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    if (const auto last = read_cursor(text)) {
        if (read_cursor(cursor_of(*last)) != last) std::abort();
        for (const char c : *last)
            if (c < ' ' || c > '~') std::abort();
    }
    // Whatever ends a page is found again, if it is as ids are.
    const auto cursor = cursor_of(text.substr(0, 64));
    if (cursor.find_first_of("+/=&% ") != std::string::npos) std::abort();
    if (const auto again = read_cursor(cursor); again && *again != text.substr(0, 64)) std::abort();
    return 0;
}
