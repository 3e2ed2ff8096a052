// ledger: a plan as an administrator or a file gives it. What is read is told again as it was.

#include <cstdlib>

#include "input.h"
#include "ledger/plan_json.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto plan = ledger::parse_plan(fuzz::as_text(data, size), "the plan");
    if (!plan) return 0;
    const auto told = ledger::to_json(*plan);
    if (json::serialize(told).empty()) std::abort();
    for (const auto& price : plan->prices) {
        if (!ledger::check_rating(price.rating)) std::abort();
        (void)ledger::rated(price.rating, 1'000'000, 6);
        fuzz::use(ledger::to_json(price).size());
    }
    return 0;
}
