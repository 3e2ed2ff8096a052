#include "base/home.h"

#include <cstdlib>

namespace rootstock {
namespace fs = std::filesystem;

Result<Home> open_home(const std::string& option) {
    fs::path root = option;
    if (root.empty()) {
        const char* variable = std::getenv("ROOTSTOCK_HOME");
        if (variable && *variable) root = variable;
    }
    if (root.empty()) {
        const char* user_home = std::getenv("HOME");
        if (!user_home || !*user_home)
            return fail(ErrorCode::invalid_argument, "no home folder: set ROOTSTOCK_HOME or give --home FOLDER",
                        "home");
        root = fs::path(user_home) / ".rootstock";
    }
    std::error_code code;
    Home home{fs::absolute(root, code)};
    bool fresh = !fs::exists(home.root, code);
    for (const auto& folder : {home.root, home.models(), home.adapters(), home.jobs(), home.downloads()}) {
        fs::create_directories(folder, code);
        if (code)
            return fail(ErrorCode::io,
                        "cannot create the home folder " + folder.string() + ": " + code.message() +
                            "; give another with --home FOLDER",
                        "home");
    }
    if (fresh) fs::permissions(home.root, fs::perms::owner_all, code);
    return home;
}

}  // namespace rootstock
