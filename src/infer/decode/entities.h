#pragma once
// From the classes of tokens to named stretches of text.
//
// Labels follow the tagging schemes in use (Ramshaw and Marcus, 1995): "B-X" begins an X, "I-X" goes on with it, "E-X"
// ends it, "S-X" is one token long, "O" is outside; a label without such a mark ("X") goes on with an X or begins one.
// What the model says need not be well-formed: an "I-X" behind anything but an X begins one. Special tokens end nothing
// and begin nothing.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/data.h"

namespace rootstock {

struct Entity {
    std::string label;  // without its mark
    CharSpan span;      // code points of the text, end exclusive
    float score = 0;    // mean probability of its tokens' labels
};

// `logits` [tokens, labels] of one text; `text` tells where its tokens came from and which a template added.
std::vector<Entity> read_entities(std::span<const float> logits, std::span<const std::string> labels,
                                  const Encoding& text);

}  // namespace rootstock
