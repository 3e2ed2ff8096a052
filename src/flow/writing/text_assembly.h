#pragma once
// From the tokens of one prompt's texts to the pieces that its reader gets: whole characters, cut before a stop text.
// Runs where the tokens are made, so that a text ends with the very token that completes a stop.

#include <vector>

#include "flow/chat.h"
#include "flow/generate.h"

namespace rootstock {

class TextAssembly {
public:
    // `first`: the number of choice 0 among the request's texts.
    TextAssembly(const Tokenizer& tokenizer, const GenerateOrder& order, int first);

    // The words that this token settles, perhaps none.
    WrittenPiece push(const WrittenToken& token);
    bool stopped(int choice) const { return line(choice).filter.stopped(); }  // a stop text was found: enough
    // What was held back until the end of a text.
    WrittenPiece finish(int choice);

private:
    struct Line {
        TextStream stream;
        StopFilter filter;
    };
    const Line& line(int choice) const { return lines_[static_cast<std::size_t>(choice)]; }
    Line& line(int choice) { return lines_[static_cast<std::size_t>(choice)]; }

    Tokenizer tokenizer_;
    int first_;
    bool logprobs_;
    std::vector<Line> lines_;
};

}  // namespace rootstock
