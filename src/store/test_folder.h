#pragma once
// A folder of its own for one test, removed afterwards.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace rootstock::store {

struct TestFolder {
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-test-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    std::filesystem::path path;
};

}  // namespace rootstock::store
