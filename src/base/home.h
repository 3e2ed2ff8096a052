#pragma once
// The Rootstock home folder: everything a single machine keeps.
//
//   rootstock.db            the records (SQLite; see store/)
//   models/<digest>/        base models, one folder each, named by the SHA-256 over their files
//   adapters/<adapter id>/  adapters (PEFT folders), immutable once there
//   jobs/<job id>/          job folders of rootstock-learn
//   downloads/              unfinished downloads

#include <filesystem>
#include <string>

#include "base/error.h"

namespace rootstock {

struct Home {
    std::filesystem::path root;

    std::filesystem::path database() const { return root / "rootstock.db"; }
    std::filesystem::path models() const { return root / "models"; }
    std::filesystem::path adapters() const { return root / "adapters"; }
    std::filesystem::path jobs() const { return root / "jobs"; }
    std::filesystem::path downloads() const { return root / "downloads"; }
};

// `option` if not empty, else $ROOTSTOCK_HOME, else ~/.rootstock. Creates the folders (mode 0700).
Result<Home> open_home(const std::string& option);

}  // namespace rootstock
