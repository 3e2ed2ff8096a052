#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace rootstock {

void check_failed(const char* condition, const char* sentence, const char* file, int line) {
    std::fprintf(stderr, "rootstock: a fault of its own: %s (%s at %s:%d)\n", sentence, condition, file, line);
    std::fflush(stderr);
    std::abort();
}

}  // namespace rootstock
