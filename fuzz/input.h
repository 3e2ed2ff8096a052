#pragma once
// What every fuzz target needs: its input as text or as a file.
//
// A target is one function. It hands the bytes to one parser as the product does, uses what comes back as the
// product does (a value that parses and then breaks is a finding too), and asserts nothing but that: sanitizers
// and limits are the judges.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace rootstock::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// A file in memory, gone with the object.
class InputFile {
public:
    explicit InputFile(std::string_view bytes);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    int descriptor_;
    std::filesystem::path path_;
};

// A folder of this process, made once, in memory where the system has such a place.
const std::filesystem::path& scratch_folder();

// Keeps the compiler from dropping a read.
void use(std::size_t value);

}  // namespace rootstock::fuzz
