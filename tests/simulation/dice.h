#pragma once
// The one source of chance of a run: a seed gives the same run on every machine.

#include <cstddef>
#include <cstdint>
#include <random>

namespace rootstock::simulation {

class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    std::uint64_t roll() { return random_(); }
    // From `low` to `high`, both of them possible.
    std::int64_t from(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
    }
    // So many times in a hundred.
    bool percent(int chance) { return from(1, 100) <= chance; }
    template <typename T>
    T& one_of(T* items, std::size_t count) {
        return items[random_() % count];
    }
    template <typename Items>
    auto& one_of(Items& items) {
        return items[random_() % items.size()];
    }

private:
    std::mt19937_64 random_;
};

}  // namespace rootstock::simulation
