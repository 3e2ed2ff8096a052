// native/packed: an adapter's packed copy, taken as made for whatever it says it was made for.

#include <cstring>

#include "input.h"
#include "native/packed/packed_form.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    if (size < sizeof(PackedHead)) return 0;
    PackedHead said;
    std::memcpy(&said, data, sizeof said);
    const auto head = read_packed_head(bytes.first<sizeof(PackedHead)>(), said.made_for, size);
    if (!head) return 0;
    const auto facts = read_packed_facts(*head, bytes.subspan(sizeof(PackedHead), head->facts_bytes));
    PackedSum sum;
    sum.add(bytes.last(head->words_bytes));
    std::size_t used = static_cast<std::size_t>(sum.value());
    if (facts)
        for (const auto& label : facts->labels) used += label.size();
    fuzz::use(used);
    return 0;
}
