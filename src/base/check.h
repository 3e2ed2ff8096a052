#pragma once
// Assertions for what only we can cause. They stay on in release builds: a broken invariant stops the work
// with the place and the sentence, instead of going on with wrong money or wrong memory.

namespace rootstock {

[[noreturn]] void check_failed(const char* condition, const char* sentence, const char* file, int line);

}  // namespace rootstock

#define ROOTSTOCK_CHECK(condition, sentence)                                                   \
    do {                                                                                       \
        if (!(condition)) ::rootstock::check_failed(#condition, sentence, __FILE__, __LINE__); \
    } while (false)
