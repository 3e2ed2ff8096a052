#pragma once
// Where the tests of this folder find their real material. Used by tests only.

#include <cstdlib>
#include <filesystem>
#include <string>

namespace rootstock::test {

inline std::filesystem::path shared_data() {
    if (const char* place = std::getenv("ROOTSTOCK_SHARED_DATA")) return place;
    return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / ".." / "shared" / "data";
}

inline std::filesystem::path model_folder() {
    if (const char* place = std::getenv("ROOTSTOCK_TEST_MODEL")) return place;
    return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "build" / "test-model";
}

inline std::filesystem::path golden() { return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden"; }

// A folder of its own for one test, removed at its end.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-data-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace rootstock::test
