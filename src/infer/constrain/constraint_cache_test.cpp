#include "infer/constrain/constraint_cache.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

class Nothing : public Constraint {
public:
    std::unique_ptr<ConstraintState> begin() const override { return nullptr; }
};

TEST(ConstraintCache, KeepsWhatWasUsedLast) {
    ConstraintCache cache({.constraints_max = 2, .source_bytes_max = 100});
    int compiled = 0;
    const auto get = [&](const std::string& source) {
        return cache.get(source, [&]() -> CompiledConstraint { return ++compiled, std::make_shared<Nothing>(); })
            .value();
    };
    const auto a = get("a");
    get("b");
    EXPECT_EQ(get("a"), a);
    get("c");  // b goes
    EXPECT_EQ(get("a"), a);
    EXPECT_EQ(compiled, 3);
    get("b");
    EXPECT_EQ(compiled, 4);
    EXPECT_EQ(cache.size(), 2u);
    get(std::string(200, 'x'));  // too large to be kept, and takes the others along
    EXPECT_EQ(cache.size(), 0u);
}

TEST(ConstraintCache, FaultsAreNotKept) {
    ConstraintCache cache;
    int compiled = 0;
    const auto refuse = [&]() -> CompiledConstraint { return ++compiled, fail(ErrorCode::invalid_argument, "no"); };
    EXPECT_FALSE(cache.get("a", refuse));
    EXPECT_FALSE(cache.get("a", refuse));
    EXPECT_EQ(compiled, 2);
}

}  // namespace
}  // namespace rootstock
