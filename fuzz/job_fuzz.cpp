// base/job.h: job.json. What is read can be written and read again.

#include <cstdlib>

#include "base/base.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto value = parse_json(fuzz::as_text(data, size), "job.json");
    if (!value) return 0;
    auto spec = job_spec_from_json(*value);
    if (spec && !job_spec_from_json(to_json(*spec))) std::abort();
    return 0;
}
