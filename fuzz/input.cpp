#include "input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace rootstock::fuzz {

InputFile::InputFile(std::string_view bytes) : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
    if (descriptor_ < 0) std::abort();
    for (std::size_t written = 0; written < bytes.size();) {
        auto count = write(descriptor_, bytes.data() + written, bytes.size() - written);
        if (count <= 0) std::abort();
        written += static_cast<std::size_t>(count);
    }
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

InputFile::~InputFile() { close(descriptor_); }

const std::filesystem::path& scratch_folder() {
    struct Folder {
        std::filesystem::path path;
        Folder() {
            bool in_memory = std::filesystem::is_directory("/dev/shm");
            auto above = in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
            std::string name = (above / "rootstock-fuzz-XXXXXX").string();
            if (!mkdtemp(name.data())) std::abort();
            path = name;
        }
        ~Folder() { std::filesystem::remove_all(path); }
    };
    static const Folder folder;
    return folder.path;
}

void use(std::size_t value) {
    static volatile std::size_t sink;
    sink = value;
}

}  // namespace rootstock::fuzz
