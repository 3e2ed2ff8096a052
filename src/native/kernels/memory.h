#pragma once
// Memory for weights and workspaces: aligned for any vector unit, on huge pages where the kernel grants them (reading
// weights from 4 kB pages costs two thirds of the bandwidth), never moved once taken. Less than a mebibyte comes from
// the allocator.

#include <cstddef>

namespace rootstock {

enum class Filled { zeros, unknown };  // unknown: whoever takes it overwrites every byte

class HugeMemory {
public:
    HugeMemory() = default;
    explicit HugeMemory(std::size_t bytes, Filled filled = Filled::zeros);  // std::bad_alloc when the system has none
    ~HugeMemory();
    HugeMemory(HugeMemory&& other) noexcept;
    HugeMemory& operator=(HugeMemory&& other) noexcept;

    void* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

// Hands out pieces of one HugeMemory, each on a boundary of 64 bytes.
class Arena {
public:
    explicit Arena(std::size_t bytes, Filled filled = Filled::zeros) : memory_(bytes, filled) {}
    void* take(std::size_t bytes);
    std::size_t used() const { return used_; }
    char* data() const { return static_cast<char*>(memory_.data()); }  // all pieces, in the order they were taken
    static std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

private:
    HugeMemory memory_;
    std::size_t used_ = 0;
};

// A buffer that grows and is reused: contents are lost when it grows.
class Workspace {
public:
    template <typename T>
    T* get(std::size_t count) {
        return static_cast<T*>(bytes(count * sizeof(T)));
    }
    void* bytes(std::size_t count);

private:
    HugeMemory memory_;
};

}  // namespace rootstock
