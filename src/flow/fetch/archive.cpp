#include "flow/fetch/archive.h"

#include <sys/stat.h>
#include <zip.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace rootstock {
namespace fs = std::filesystem;

struct Archive::Handle {
    explicit Handle(zip_t* file) : zip(file) {}
    ~Handle() { zip_discard(zip); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    zip_t* zip;
};

namespace {

constexpr std::uint64_t ratio_matters_from = std::uint64_t{1} << 20;

bool is_link(zip_t* zip, zip_uint64_t index) {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) != 0) return false;
    return system == ZIP_OPSYS_UNIX && S_ISLNK(attributes >> 16);
}

Result<void> check_entry(zip_t* zip, const zip_stat_t& facts, const std::string& archive, const ArchiveLimits& limits) {
    std::string path = facts.name;
    auto refuse = [&](ErrorCode code, const std::string& why) {
        return fail(code, archive + ": the entry `" + path + "` " + why + "; the archive is refused");
    };
    if (!is_safe_relative_path(path)) return refuse(ErrorCode::invalid_argument, "points outside its folder");
    if (is_link(zip, facts.index)) return refuse(ErrorCode::invalid_argument, "is a link");
    if (facts.encryption_method != ZIP_EM_NONE) return refuse(ErrorCode::invalid_argument, "is encrypted");
    if (facts.size > ratio_matters_from && facts.size / std::max<zip_uint64_t>(facts.comp_size, 1) > limits.ratio_max)
        return refuse(ErrorCode::too_large,
                      "unpacks to more than " + std::to_string(limits.ratio_max) + " times its size");
    return {};
}

}  // namespace

bool is_safe_relative_path(std::string_view path) {
    if (path.empty() || path.size() > 1024 || path.front() == '/') return false;
    for (unsigned char c : path)
        if (c < 0x20 || c == 0x7F || c == '\\' || c == ':') return false;
    for (const auto& part : fs::path(path))
        if (part == ".." || part == ".") return false;
    return true;
}

Archive::Archive(std::unique_ptr<Handle> handle, std::string name)
    : handle_(std::move(handle)), name_(std::move(name)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::open(const fs::path& file, const ArchiveLimits& limits) {
    std::string name = file.filename().string();
    int why = 0;
    zip_t* zip = zip_open(file.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &why);
    if (!zip) {
        if (why == ZIP_ER_OPEN || why == ZIP_ER_NOENT)
            return fail(ErrorCode::io, "cannot open " + file.string() + ": " + std::strerror(errno));
        return fail(ErrorCode::corrupt,
                    name + " is no sound zip file: it is cut short or contradicts itself; fetch it again");
    }
    Archive archive(std::make_unique<Handle>(zip), name);
    auto count = zip_get_num_entries(zip, 0);
    if (static_cast<std::uint64_t>(count) > limits.entries_max)
        return fail(ErrorCode::too_large, name + " holds " + std::to_string(count) + " entries, more than " +
                                              std::to_string(limits.entries_max) + "; it is refused");
    std::uint64_t total = 0;
    for (zip_int64_t i = 0; i < count; ++i) {
        zip_stat_t facts;
        if (zip_stat_index(zip, static_cast<zip_uint64_t>(i), 0, &facts) != 0)
            return fail(ErrorCode::corrupt, name + ": " + zip_strerror(zip));
        ROOTSTOCK_CHECKED(check_entry(zip, facts, name, limits));
        if (facts.size > limits.bytes_max - total)
            return fail(ErrorCode::too_large,
                        name + " unpacks to more than " + format_bytes(limits.bytes_max) + "; it is refused");
        total += facts.size;
        if (!std::string_view(facts.name).ends_with('/'))
            archive.entries_.push_back({facts.name, facts.size, facts.index});
    }
    return archive;
}

const Archive::Entry* Archive::find(const std::string& path) const {
    for (const auto& entry : entries_)
        if (entry.path == path) return &entry;
    return nullptr;
}

Result<void> Archive::each_piece(const Entry& entry, const std::function<Result<void>(std::string_view)>& use) const {
    auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::corrupt, name_ + ": the entry `" + entry.path + "` cannot be read: " + why);
    };
    std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> stream(zip_fopen_index(handle_->zip, entry.index, 0), zip_fclose);
    if (!stream) return refuse(zip_strerror(handle_->zip));
    std::vector<char> piece(std::size_t{1} << 18);
    std::uint64_t read = 0;
    for (;;) {
        auto got = zip_fread(stream.get(), piece.data(), piece.size());
        if (got < 0) return refuse(zip_file_strerror(stream.get()));  // a wrong checksum shows here, at the end
        if (got == 0) break;
        read += static_cast<std::uint64_t>(got);
        if (read > entry.bytes) return refuse("it is longer than the directory says");
        ROOTSTOCK_CHECKED(use({piece.data(), static_cast<std::size_t>(got)}));
    }
    if (read != entry.bytes) return refuse("it is shorter than the directory says");
    return {};
}

Result<void> Archive::extract(const Entry& entry, const fs::path& to,
                              const std::function<void(std::uint64_t)>& on_bytes) const {
    std::error_code code;
    fs::create_directories(to.parent_path(), code);
    std::ofstream file(to, std::ios::binary | std::ios::trunc);
    auto cannot_write = [&] {
        return fail(ErrorCode::io, "cannot write " + to.string() + ": " + std::strerror(errno));
    };
    if (!file) return cannot_write();
    ROOTSTOCK_CHECKED(each_piece(entry, [&](std::string_view piece) -> Result<void> {
        if (!file.write(piece.data(), static_cast<std::streamsize>(piece.size()))) return cannot_write();
        if (on_bytes) on_bytes(piece.size());
        return {};
    }));
    file.close();
    if (!file) return cannot_write();
    return {};
}

Result<std::string> Archive::read(const Entry& entry, std::size_t bytes_max) const {
    if (entry.bytes > bytes_max)
        return fail(ErrorCode::too_large, name_ + ": `" + entry.path + "` is larger than " + format_bytes(bytes_max));
    std::string text;
    ROOTSTOCK_CHECKED(each_piece(entry, [&](std::string_view piece) -> Result<void> {
        text += piece;
        return {};
    }));
    return text;
}

}  // namespace rootstock
