#include "native/kernels/memory.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/base.h"

namespace rootstock {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::align_val_t kVector{64};

// What cannot fill a huge page comes from the allocator: adapters come and go, and a mapping of its own would cost each
// of them a fault a page, and every core a word at its end.
bool is_small(std::size_t bytes) { return bytes < kHugePage / 2; }

}  // namespace

HugeMemory::HugeMemory(std::size_t bytes, Filled filled) : size_(bytes) {
    if (bytes == 0) return;
    if (is_small(bytes)) {
        data_ = ::operator new(bytes, kVector);
        if (filled == Filled::zeros) std::memset(data_, 0, bytes);
        return;
    }
    // One huge page more than needed, so that a boundary of 2 MB lies inside; what stands before and after it is given
    // back.
    const std::size_t whole = bytes + kHugePage;
    void* raw = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<char*>(raw);
    const auto offset = (kHugePage - reinterpret_cast<std::size_t>(raw) % kHugePage) % kHugePage;
    constexpr std::size_t kPage = 4096;
    const std::size_t kept = (bytes + kPage - 1) / kPage * kPage;
    if (offset > 0) ::munmap(begin, offset);
    if (whole > offset + kept) ::munmap(begin + offset + kept, whole - offset - kept);
    data_ = begin + offset;
    if (bytes >= kHugePage) ::madvise(data_, kept, MADV_HUGEPAGE);  // a wish; without it everything still works
}

HugeMemory::~HugeMemory() {
    if (!data_) return;
    if (is_small(size_))
        ::operator delete(data_, kVector);
    else
        ::munmap(data_, size_);
}

HugeMemory::HugeMemory(HugeMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

HugeMemory& HugeMemory::operator=(HugeMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

void* Arena::take(std::size_t bytes) {
    const auto size = rounded(bytes);
    ROOTSTOCK_CHECK(used_ + size <= memory_.size(), "the arena was sized for everything that is put in it");
    void* place = static_cast<char*>(memory_.data()) + used_;
    used_ += size;
    return place;
}

void* Workspace::bytes(std::size_t count) {
    if (count > memory_.size()) memory_ = HugeMemory(count + count / 4);
    return memory_.data();
}

}  // namespace rootstock
