#pragma once
// Cosines and sines of rotary positions, made once for every position met so far.

#include <vector>

#include "model/model.h"

namespace rootstock {

class RotaryTable {
public:
    explicit RotaryTable(Rotary rotary) : rotary_(rotary) {}

    // Positions below `tokens` exist afterwards, with the frequencies of a row of `tokens` tokens. Only `dynamic`
    // scaling has frequencies that differ from row to row; others only ever grow.
    void cover(int tokens);

    int pairs() const { return rotary_.width / 2; }
    const float* cosines(int position) const { return cosines_.data() + place(position); }
    const float* sines(int position) const { return sines_.data() + place(position); }

private:
    std::size_t place(int position) const {
        return static_cast<std::size_t>(position) * static_cast<std::size_t>(pairs());
    }

    Rotary rotary_;
    int tokens_ = 0;
    int made_for_ = -1;  // row length whose frequencies the table has; 0: of any row not stretched
    std::vector<float> frequencies_, cosines_, sines_;
};

}  // namespace rootstock
