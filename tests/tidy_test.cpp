// The house keeps its walls: this test reads every include under src/ and fails on one that goes upward, sideways or
// around a face header; on torch outside autograd and learn; on SQL or HTTP libraries outside their folders; and on
// paths or left-overs that have no place in a source file. The table is the one of ARCHITECTURE.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// The layer of each folder; a folder includes only folders of lower layers.
const std::map<std::string, int> layers = {
    {"base", 1},   {"data", 2},   {"model", 2},    {"store", 2}, {"http", 2},  {"paper", 2},
    {"native", 3}, {"outbox", 3}, {"autograd", 3}, {"learn", 4}, {"infer", 4}, {"evaluate", 4},
    {"tenant", 4}, {"ledger", 4}, {"catalog", 4},  {"trust", 4}, {"flow", 5},  {"app", 6},
};

// The compute column never sees rows and money, the records column never sees tensors.
const std::set<std::string> compute = {"data", "model", "native", "autograd", "learn", "infer", "evaluate"};
const std::set<std::string> records = {"store", "outbox", "tenant", "ledger", "catalog", "trust"};

// Libraries that only the named folders may include: prefix of the include, folders.
const std::vector<std::pair<std::string, std::set<std::string>>> kept_apart = {
    {"torch/", {"autograd", "learn"}},
    {"ATen/", {"autograd", "learn"}},
    {"c10/", {"autograd", "learn"}},
    {"soci/", {"store", "tenant", "ledger", "catalog", "trust", "flow"}},
    {"sqlite3.h", {"store"}},
    {"boost/beast", {"http"}},
    {"curl/", {"http", "flow"}},
    {"CLI/", {"app"}},
    {"dnnl", {"native", "autograd"}},
    {"pango/", {"paper"}},
    {"cairo", {"paper"}},
    {"date/", {"ledger"}},
};

struct Include {
    std::string file, folder, target;
    int line;
    bool quoted;
};

fs::path source_root() { return fs::path(ROOTSTOCK_SOURCE_DIR) / "src"; }

std::vector<fs::path> source_files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(source_root())) {
        auto extension = entry.path().extension();
        if (extension == ".h" || extension == ".cpp") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<Include> includes_of(const fs::path& path) {
    std::vector<Include> found;
    std::ifstream stream(path);
    auto relative = fs::relative(path, source_root());
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        auto start = line.find_first_not_of(" \t");
        if (start == std::string::npos || line.compare(start, 8, "#include") != 0) continue;
        auto open = line.find_first_of("<\"");
        auto close = line.find_first_of(">\"", open + 1);
        if (open == std::string::npos || close == std::string::npos) continue;
        found.push_back({relative.string(), relative.begin()->string(), line.substr(open + 1, close - open - 1), number,
                         line[open] == '"'});
    }
    return found;
}

std::string first_part(const std::string& target) { return target.substr(0, target.find('/')); }

// The rule broken by an include, or nothing.
std::string broken_rule(const Include& include) {
    for (const auto& [prefix, folders] : kept_apart)
        if (include.target.starts_with(prefix) && !folders.contains(include.folder))
            return "only some folders may include " + prefix;
    if (!include.quoted) return "";
    auto target = first_part(include.target);
    if (!layers.contains(target)) return "a quoted include starts at src/ with a folder of the table";
    if (target == include.folder) return "";
    if (layers.at(target) >= layers.at(include.folder)) return "a folder includes only folders of lower layers";
    if (compute.contains(include.folder) && records.contains(target)) return "compute sees records";
    if (records.contains(include.folder) && compute.contains(target)) return "records see compute";
    const bool by_test = include.file.ends_with("_test.cpp") || include.file.find("/test_") != std::string::npos;
    if (by_test && include.target == "store/test_store.h") return "";
    if (include.target != target + "/" + target + ".h") return "only the face header of another folder is included";
    return "";
}

TEST(Tidy, EveryFolderHasItsLayer) {
    for (const auto& entry : fs::directory_iterator(source_root()))
        EXPECT_TRUE(layers.contains(entry.path().filename().string())) << entry.path();
}

TEST(Tidy, IncludesGoDownwardThroughFaces) {
    int checked = 0;
    for (const auto& path : source_files())
        for (const auto& include : includes_of(path)) {
            ++checked;
            auto rule = broken_rule(include);
            EXPECT_TRUE(rule.empty()) << include.file << ":" << include.line << " includes " << include.target << ": "
                                      << rule;
        }
    EXPECT_GT(checked, 100);
}

TEST(Tidy, TheRulesCatchWhatTheyForbid) {
    auto rule = [](std::string folder, std::string target, bool quoted = true) {
        return broken_rule({folder + "/x.cpp", folder, target, 1, quoted});
    };
    EXPECT_NE(rule("data", "model/model.h"), "");        // sideways
    EXPECT_NE(rule("data", "native/native.h"), "");      // upward
    EXPECT_NE(rule("native", "model/spec/spec.h"), "");  // around the face
    EXPECT_NE(rule("ledger", "model/model.h"), "");      // records see tensors
    EXPECT_NE(rule("infer", "store/store.h"), "");       // compute sees rows
    EXPECT_NE(rule("infer", "torch/torch.h", false), "");
    EXPECT_NE(rule("app", "boost/beast/http.hpp", false), "");
    EXPECT_EQ(rule("native", "model/model.h"), "");
    EXPECT_EQ(rule("native", "native/kernels/linear.h"), "");
    EXPECT_EQ(rule("autograd", "torch/torch.h", false), "");
}

// Money is counted in integers: the words for floating point have no place where it is kept.
TEST(Tidy, NoFloatingPointInTheLedger) {
    for (const auto& path : source_files()) {
        auto relative = fs::relative(path, source_root()).string();
        if (!relative.starts_with("ledger/") && relative != "base/money.cpp" && relative != "base/money.h") continue;
        std::ifstream stream(path);
        std::string line;
        for (int number = 1; std::getline(stream, line); ++number) {
            auto code = line.substr(0, line.find("//"));
            EXPECT_EQ(code.find("double "), std::string::npos) << relative << ":" << number;
            EXPECT_EQ(code.find("float "), std::string::npos) << relative << ":" << number;
        }
    }
}

TEST(Tidy, FilesStayReadable) {
    for (const auto& path : source_files()) {
        std::ifstream stream(path);
        auto lines = std::count(std::istreambuf_iterator<char>(stream), {}, '\n');
        EXPECT_LE(lines, 500) << path << ": ask which noun is hiding in it";
    }
}

}  // namespace
