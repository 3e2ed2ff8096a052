// Packed copies as files: written from what NativeAdapter::load made, read into the place where it will be used.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "native/adapter_layout.h"
#include "native/packed/packed_form.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

fs::path copy_of(const fs::path& folder) {
    auto path = folder;
    path += ".packed";
    return path;
}

PackedFor made_for(const NativeModel& model, const std::string& base_digest, const std::string& stamp) {
    const auto& spec = model.spec();
    const auto number = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
    PackedFor made;
    made.layout = kLowRankLayout;
    made.element = model.parts().element() == Element::bf16 ? 1 : 0;
    made.width = number(static_cast<std::size_t>(spec.width));
    made.inner = number(static_cast<std::size_t>(spec.inner));
    made.query_width = number(static_cast<std::size_t>(spec.query_width()));
    made.key_value_width = number(static_cast<std::size_t>(spec.key_value_width()));
    made.layers = number(static_cast<std::size_t>(spec.layers));
    made.decoder_layers = number(static_cast<std::size_t>(spec.decoder_layers));
    made.modules = number(adapter_modules(spec).size());
    base_digest.copy(made.base.data(), made.base.size());
    stamp.copy(made.stamp.data(), made.stamp.size());
    return made;
}

std::span<std::byte> bytes_of(PackedHead& head) { return std::as_writable_bytes(std::span(&head, 1)); }

// One open copy.
class CopyFile {
public:
    explicit CopyFile(const fs::path& path) : path_(path), number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~CopyFile() {
        if (number_ >= 0) ::close(number_);
    }
    CopyFile(const CopyFile&) = delete;
    CopyFile& operator=(const CopyFile&) = delete;

    Result<std::uint64_t> size() const {
        struct stat facts {};
        if (number_ < 0 || ::fstat(number_, &facts) != 0)
            return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                        "cannot read " + path_.string() + ": " + std::strerror(errno));
        if (!S_ISREG(facts.st_mode)) return fail(ErrorCode::corrupt, path_.string() + " is not a regular file");
        return static_cast<std::uint64_t>(facts.st_size);
    }

    // Both pieces, which stand behind each other from `offset` on, in as few calls as the system allows.
    Result<void> read(std::uint64_t offset, std::span<std::byte> first, std::span<std::byte> second = {}) const {
        while (!first.empty() || !second.empty()) {
            const iovec pieces[] = {{first.data(), first.size()}, {second.data(), second.size()}};
            const auto got = ::preadv(number_, pieces, 2, static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail(ErrorCode::io, "cannot read " + path_.string() + ": " + std::strerror(errno));
            if (got == 0) return fail(ErrorCode::corrupt, path_.string() + " has become shorter");
            const auto count = static_cast<std::size_t>(got), of_first = std::min(count, first.size());
            first = first.subspan(of_first);
            second = second.subspan(count - of_first);
            offset += count;
        }
        return {};
    }

private:
    const fs::path& path_;
    int number_;
};

std::uint64_t sum_of(PackedHead head, std::span<const std::byte> facts, std::span<const std::byte> words) {
    head.sum = 0;
    PackedSum sum;
    sum.add(bytes_of(head));
    sum.add(facts);
    sum.add(words);
    return sum.value();
}

std::unexpected<Error> damaged(const fs::path& path) {
    return fail(ErrorCode::corrupt, path.string() + " is damaged", {}, "packed_damaged");
}

Head head_of(PackedFacts& facts, const TransformerSpec& spec) {
    Head head;
    head.classes = static_cast<int>(facts.bias.size());
    head.width = head.classes > 0 ? spec.width : 0;
    head.weight = std::move(facts.weight);
    head.bias = std::move(facts.bias);
    head.dense_weight = std::move(facts.dense_weight);
    head.dense_bias = std::move(facts.dense_bias);
    return head;
}

std::vector<AdapterPiece> pieces_of(const std::vector<int>& ranks) {
    std::vector<AdapterPiece> pieces;
    for (const int rank : ranks) pieces.push_back({rank, nullptr});
    return pieces;
}

}  // namespace

Result<PackedAdapter> NativeAdapter::load_packed(const NativeModel& model, const fs::path& folder,
                                                 const std::string& base_digest) {
    const auto path = copy_of(folder);
    const CopyFile file(path);
    ROOTSTOCK_TRY(file_bytes, file.size());
    if (file_bytes < sizeof(PackedHead)) return damaged(path);
    ROOTSTOCK_TRY(stamp, adapter_stamp(folder));
    PackedHead head;
    ROOTSTOCK_CHECKED(file.read(0, bytes_of(head)));
    const auto known = std::as_bytes(std::span(&head, 1)).first<sizeof(PackedHead)>();
    ROOTSTOCK_CHECKED(read_packed_head(known, made_for(model, base_digest, stamp), file_bytes));
    std::vector<std::byte> fact_bytes(head.facts_bytes);
    ROOTSTOCK_CHECKED(file.read(sizeof head, fact_bytes));
    ROOTSTOCK_TRY(facts, read_packed_facts(head, fact_bytes));
    const auto pieces = pieces_of(facts.ranks);
    if (adapter_bytes(model, pieces) != head.words_bytes) return damaged(path);
    auto parts = lay_out_adapter(model, pieces, Filled::unknown);
    const std::span words(reinterpret_cast<std::byte*>(parts->arena.data()), head.words_bytes);
    ROOTSTOCK_CHECKED(file.read(sizeof head + head.facts_bytes, words));
    if (sum_of(head, fact_bytes, words) != head.sum) return damaged(path);
    parts->head = head_of(facts, model.spec());
    if (!check_head(parts->head, model.spec())) return damaged(path);
    PackedAdapter packed{nullptr, std::move(facts.task), std::move(facts.labels), static_cast<int>(head.max_tokens),
                         head.self_tests > 0};
    packed.native = std::shared_ptr<const NativeAdapter>(new NativeAdapter(std::move(parts)));
    return packed;
}

Result<void> NativeAdapter::save_packed(const NativeModel& model, const fs::path& folder, const std::string& stamp,
                                        const Adapter& adapter, const std::string& base_digest) const {
    PackedFacts facts;
    for (const auto& module : adapter_modules(model.spec())) {
        const auto pair = adapter.pairs.find(module);
        facts.ranks.push_back(pair == adapter.pairs.end() ? 0 : pair->second.rank);
    }
    const auto& own = parts_->head;
    facts.weight = own.weight, facts.bias = own.bias;
    facts.dense_weight = own.dense_weight, facts.dense_bias = own.dense_bias;
    facts.task = adapter.task, facts.labels = adapter.labels;
    PackedHead head;
    const auto fact_bytes = packed_facts(facts, head);
    head.made_for = made_for(model, base_digest, stamp);
    head.max_tokens = static_cast<std::uint32_t>(adapter.max_tokens);
    head.self_tests = static_cast<std::uint32_t>(adapter.self_tests.size());
    const std::span words(reinterpret_cast<const std::byte*>(parts_->arena.data()), parts_->arena.used());
    head.words_bytes = words.size();
    head.sum = sum_of(head, fact_bytes, words);
    std::string bytes;
    bytes.reserve(sizeof head + fact_bytes.size() + words.size());
    for (const auto piece : {std::span<const std::byte>(bytes_of(head)), std::span<const std::byte>(fact_bytes), words})
        bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return write_file_unsynced(copy_of(folder), bytes);
}

}  // namespace rootstock
