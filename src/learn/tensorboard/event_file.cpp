#include "learn/tensorboard/event_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>

namespace rootstock {

namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[i] = c;
    }
    return table;
}();

template <typename T>
std::string little_endian(T value) {
    static_assert(std::endian::native == std::endian::little);
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// The few protobuf wire types an Event needs.
std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    return bytes + static_cast<char>(value);
}

enum class Wire : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string field(std::uint64_t number, Wire wire, const std::string& payload) {
    auto key = varint(number << 3 | static_cast<std::uint64_t>(wire));
    return wire == Wire::bytes ? key + varint(payload.size()) + payload : key + payload;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t c = 0xFFFFFFFFu;
    for (unsigned char byte : bytes) c = crc_table[(c ^ byte) & 0xFF] ^ (c >> 8);
    return ~c;
}

std::uint32_t masked_crc32c(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

Result<TensorboardFile> TensorboardFile::create(const std::filesystem::path& folder, Clock& clock) {
    static std::atomic<int> count{0};
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    char host[256] = "localhost";
    ::gethostname(host, sizeof host - 1);
    auto seconds = clock.now().micros / 1'000'000;
    auto text = std::to_string(seconds);
    text.insert(0, text.size() < 10 ? 10 - text.size() : 0, '0');
    auto path = folder / ("events.out.tfevents." + text + "." + host + "." + std::to_string(::getpid()) + "." +
                          std::to_string(count++));
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (!file) return fail(ErrorCode::io, "cannot write " + path.string() + ": is the job folder writable?");
    TensorboardFile events(file, path, clock);
    auto now = static_cast<double>(clock.now().micros) * 1e-6;
    events.write_record(field(1, Wire::fixed64, little_endian(now)) + field(3, Wire::bytes, "brain.Event:2"));
    return events;
}

void TensorboardFile::scalar(std::string_view tag, std::int64_t step, double value) {
    auto now = static_cast<double>(clock_->now().micros) * 1e-6;
    auto entry =
        field(1, Wire::bytes, std::string(tag)) + field(2, Wire::fixed32, little_endian(static_cast<float>(value)));
    write_record(field(1, Wire::fixed64, little_endian(now)) +
                 field(2, Wire::varint, varint(static_cast<std::uint64_t>(step))) +
                 field(5, Wire::bytes, field(1, Wire::bytes, entry)));
}

void TensorboardFile::write_record(const std::string& data) {
    auto length = little_endian(static_cast<std::uint64_t>(data.size()));
    auto record = length + little_endian(masked_crc32c(length)) + data + little_endian(masked_crc32c(data));
    std::fwrite(record.data(), 1, record.size(), file_.get());
}

}  // namespace rootstock
