#pragma once
// The bytes of an adapter's packed copy (docs/formats/packed-adapter.md), bounded and without a file or a model:
//
//   copy  := head facts words        every part a multiple of 64 bytes
//   head  := 256 bytes, PackedHead
//   facts := rank* float* text* zeros    ranks of all modules; the adapter's head; its task and labels
//   words := what stands in the adapter's memory
//   text  := length (4 bytes) byte*
//
// There are as many labels as the head has classes. Numbers are little-endian, as all machines we run on have them.
// Private to native/.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock {

inline constexpr std::uint32_t kPackedVersion = 1;
inline constexpr std::size_t kPackedBlock = 64;

// What must be the same for a copy to be used: the model's sizes and form, the base, the folder it was made from.
struct PackedFor {
    std::uint32_t layout = 0;  // kLowRankLayout
    std::uint32_t element = 0;
    std::uint32_t width = 0, inner = 0, query_width = 0, key_value_width = 0, layers = 0, decoder_layers = 0;
    std::uint32_t modules = 0;
    std::array<char, 64> base{};   // digest of the base model
    std::array<char, 64> stamp{};  // adapter_stamp() of the folder
    bool operator==(const PackedFor&) const = default;
};

struct PackedHead {
    std::array<char, 8> magic{};
    std::uint32_t version = 0;
    PackedFor made_for;
    std::uint32_t classes = 0, dense = 0;  // of the adapter's head
    std::uint32_t max_tokens = 0;
    std::uint32_t self_tests = 0;  // how many the folder holds
    std::uint64_t facts_bytes = 0, words_bytes = 0;
    std::uint64_t sum = 0;        // PackedSum of the whole copy, with zero in this place
    std::array<char, 40> rest{};  // zero
};
static_assert(sizeof(PackedHead) == 256 && alignof(PackedHead) == 8, "the head of a packed copy has no gaps");

// What the facts say.
struct PackedFacts {
    std::vector<int> ranks;  // of every module, 0 where there is no pair
    std::vector<float> weight, bias, dense_weight, dense_bias;
    std::string task;
    std::vector<std::string> labels;
};

// A sum of everything read, quick enough to be taken at every loading and meant against damage, not against forgers:
// who can write here can write an adapter. Sixteen sums of 32-bit words stand side by side, and sixteen of those sums,
// so that neither a changed nor a moved word goes unseen.
class PackedSum {
public:
    void add(std::span<const std::byte> bytes);  // a multiple of kPackedBlock
    std::uint64_t value() const;

private:
    std::array<std::uint64_t, 16> sums_{}, sums_of_sums_{};
};

// conflict: a copy of another version, base, folder or form, or of other sizes; it has to be made anew.
// corrupt: it contradicts itself. `file_bytes` is the size of the whole copy; the head's sizes add up to it.
Result<PackedHead> read_packed_head(std::span<const std::byte, sizeof(PackedHead)> bytes, const PackedFor& wanted,
                                    std::uint64_t file_bytes);

// corrupt: the facts are not what the head announces. The sum is the caller's to check.
Result<PackedFacts> read_packed_facts(const PackedHead& head, std::span<const std::byte> bytes);

// Facts as bytes; fills the head's counts and sizes of them.
std::vector<std::byte> packed_facts(const PackedFacts& facts, PackedHead& head);

}  // namespace rootstock
