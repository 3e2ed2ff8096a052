#!/usr/bin/env python3
"""Reads from the reference library (tokenizers 0.23.3) which characters its Whitespace pre-tokenizer counts as parts of
words (\\w of Rust's regular expressions), and writes src/data/text/word_characters.cpp to standard output.

    python tests/golden/make_word_characters.py > src/data/text/word_characters.cpp
"""
from tokenizers import pre_tokenizers

splitter = pre_tokenizers.Whitespace()
HEAD = '''#include "data/text/word_characters.h"

#include <algorithm>
#include <iterator>

namespace rootstock {
namespace {

struct Range {
    std::int32_t first, last;
};

// Written by tests/golden/make_word_characters.py.
// clang-format off
constexpr Range ranges[] = {
'''
TAIL = '''};
// clang-format on

}  // namespace

bool is_word_character(std::int32_t code_point) {
    const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), code_point,
                                         [](std::int32_t c, const Range& range) { return c < range.first; });
    return after != std::begin(ranges) && code_point <= (after - 1)->last;
}

}  // namespace rootstock
'''


def main():
    runs = []
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000 or len(splitter.pre_tokenize_str("a" + chr(code_point) + "a")) != 1:
            continue
        if runs and runs[-1][1] == code_point - 1:
            runs[-1][1] = code_point
        else:
            runs.append([code_point, code_point])
    print(HEAD, end="")
    rows = [f"{{0x{first:X}, 0x{last:X}}}," for first, last in runs]
    for begin in range(0, len(rows), 7):
        print("    " + " ".join(rows[begin:begin + 7]))
    print(TAIL, end="")


if __name__ == "__main__":
    main()
