#include "autograd/kernels/matrix.h"

#include <sys/mman.h>

#include "base/base.h"

namespace rootstock {

void HugeFree::operator()(void* memory) const { ::munmap(memory, bytes); }

HugeMemory allocate_huge(std::size_t bytes) {
    constexpr std::size_t page = std::size_t{2} << 20;
    bytes = (bytes + page - 1) / page * page;
    void* memory = ::mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ROOTSTOCK_CHECK(memory != MAP_FAILED, "the system has no memory left for the weights");
    // Cut to a 2 MB boundary, so that every page can be a huge one.
    auto begin = reinterpret_cast<std::uintptr_t>(memory);
    std::size_t lead = (page - begin % page) % page;
    if (lead > 0) ::munmap(memory, lead);
    auto* aligned = static_cast<std::byte*>(memory) + lead;
    if (page - lead > 0) ::munmap(aligned + bytes, page - lead);
    ::madvise(aligned, bytes, MADV_HUGEPAGE);
    return HugeMemory(aligned, HugeFree{bytes});
}

}  // namespace rootstock
