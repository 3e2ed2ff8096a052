#include "native/packed/packed_form.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rootstock {

namespace {

static_assert(std::endian::native == std::endian::little, "packed copies hold numbers as little-endian machines do");

constexpr std::array<char, 8> kMagic{'R', 'O', 'O', 'T', 'P', 'A', 'C', 'K'};
constexpr std::uint32_t kRankMax = 4096, kClassesMax = 1 << 20;
constexpr std::uint64_t kFactsMax = std::uint64_t{1} << 30;

std::unexpected<Error> damaged(const std::string& what) {
    return fail(ErrorCode::corrupt, "a packed copy is damaged: " + what, {}, "packed_damaged");
}

// Numbers and texts one after another, never beyond the end.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename T>
    Result<std::vector<T>> numbers(std::size_t count) {
        if (count > bytes_.size() / sizeof(T)) return damaged("its facts end early");
        std::vector<T> values(count);
        if (count > 0) std::memcpy(values.data(), bytes_.data(), count * sizeof(T));
        bytes_ = bytes_.subspan(count * sizeof(T));
        return values;
    }

    Result<std::string> text() {
        ROOTSTOCK_TRY(length, numbers<std::uint32_t>(1));
        if (length.front() > bytes_.size()) return damaged("a text of its facts ends early");
        std::string text(reinterpret_cast<const char*>(bytes_.data()), length.front());
        bytes_ = bytes_.subspan(length.front());
        return text;
    }

    bool only_zeros_left() const {
        return bytes_.size() < kPackedBlock &&
               std::ranges::all_of(bytes_, [](auto byte) { return byte == std::byte{}; });
    }

private:
    std::span<const std::byte> bytes_;
};

void append(std::vector<std::byte>& to, const void* from, std::size_t count) {
    const auto* begin = static_cast<const std::byte*>(from);
    to.insert(to.end(), begin, begin + count);
}

void append(std::vector<std::byte>& to, const std::vector<float>& numbers) {
    append(to, numbers.data(), numbers.size() * sizeof(float));
}

void append(std::vector<std::byte>& to, const std::string& text) {
    const auto length = static_cast<std::uint32_t>(text.size());
    append(to, &length, sizeof length);
    append(to, text.data(), text.size());
}

}  // namespace

void PackedSum::add(std::span<const std::byte> bytes) {
    ROOTSTOCK_CHECK(bytes.size() % kPackedBlock == 0, "parts of a packed copy are whole blocks");
    auto sums = sums_, sums_of_sums = sums_of_sums_;
    for (std::size_t at = 0; at < bytes.size(); at += kPackedBlock) {
        std::array<std::uint32_t, 16> words;
        std::memcpy(words.data(), bytes.data() + at, kPackedBlock);
        for (std::size_t i = 0; i < words.size(); ++i) sums[i] += words[i];
        for (std::size_t i = 0; i < words.size(); ++i) sums_of_sums[i] += sums[i];
    }
    sums_ = sums;
    sums_of_sums_ = sums_of_sums;
}

std::uint64_t PackedSum::value() const {
    std::uint64_t mixed = 0;
    const auto mix = [&](std::uint64_t part) {
        mixed = (mixed ^ part) * 0x9e3779b97f4a7c15;  // odd, so that no bit is lost
        mixed ^= mixed >> 29;
    };
    for (const auto part : sums_) mix(part);
    for (const auto part : sums_of_sums_) mix(part);
    return mixed;
}

Result<PackedHead> read_packed_head(std::span<const std::byte, sizeof(PackedHead)> bytes, const PackedFor& wanted,
                                    std::uint64_t file_bytes) {
    PackedHead head;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.magic != kMagic) return damaged("it does not begin as one");
    if (head.version != kPackedVersion || !(head.made_for == wanted))
        return fail(ErrorCode::conflict, "a packed copy was made for another version, base or state of the folder", {},
                    "packed_stale");
    const bool counts = head.classes <= kClassesMax && head.dense <= 1 && head.max_tokens <= INT32_MAX;
    const bool zeros = std::ranges::all_of(head.rest, [](char one) { return one == 0; });
    if (!counts || !zeros) return damaged("its head holds numbers that no adapter has");
    const bool blocks = head.facts_bytes % kPackedBlock == 0 && head.words_bytes % kPackedBlock == 0;
    if (!blocks || head.facts_bytes > kFactsMax || head.words_bytes > file_bytes ||
        sizeof head + head.facts_bytes + head.words_bytes != file_bytes)
        return damaged("its sizes do not add up");
    return head;
}

Result<PackedFacts> read_packed_facts(const PackedHead& head, std::span<const std::byte> bytes) {
    Reader reader(bytes);
    PackedFacts facts;
    ROOTSTOCK_TRY(ranks, reader.numbers<std::uint32_t>(head.made_for.modules));
    for (const auto rank : ranks) {
        if (rank > kRankMax) return damaged("it names a rank that no adapter has");
        facts.ranks.push_back(static_cast<int>(rank));
    }
    const std::size_t width = head.made_for.width, classes = head.classes, dense = head.dense;
    const auto floats = [&](std::size_t count, std::vector<float>& to) -> Result<void> {
        ROOTSTOCK_TRY(values, reader.numbers<float>(count));
        to = std::move(values);
        return {};
    };
    ROOTSTOCK_CHECKED(floats(classes * width, facts.weight));
    ROOTSTOCK_CHECKED(floats(classes, facts.bias));
    ROOTSTOCK_CHECKED(floats(dense * width * width, facts.dense_weight));
    ROOTSTOCK_CHECKED(floats(dense * width, facts.dense_bias));
    ROOTSTOCK_TRY(task, reader.text());
    facts.task = std::move(task);
    for (std::uint32_t i = 0; i < head.classes; ++i) {
        ROOTSTOCK_TRY(label, reader.text());
        facts.labels.push_back(std::move(label));
    }
    if (!reader.only_zeros_left()) return damaged("something stands behind its facts");
    return facts;
}

std::vector<std::byte> packed_facts(const PackedFacts& facts, PackedHead& head) {
    std::vector<std::byte> bytes;
    for (const int rank : facts.ranks) {
        const auto number = static_cast<std::uint32_t>(rank);
        append(bytes, &number, sizeof number);
    }
    for (const auto* numbers : {&facts.weight, &facts.bias, &facts.dense_weight, &facts.dense_bias})
        append(bytes, *numbers);
    append(bytes, facts.task);
    for (const auto& label : facts.labels) append(bytes, label);
    bytes.resize((bytes.size() + kPackedBlock - 1) / kPackedBlock * kPackedBlock);
    head.magic = kMagic;
    head.version = kPackedVersion;
    head.classes = static_cast<std::uint32_t>(facts.bias.size());
    head.dense = facts.dense_bias.empty() ? 0 : 1;
    head.facts_bytes = bytes.size();
    return bytes;
}

}  // namespace rootstock
