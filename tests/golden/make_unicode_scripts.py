#!/usr/bin/env python3
"""Reads from the reference library (tokenizers 0.23.3) which characters its UnicodeScripts pre-tokenizer counts as one
writing system, and writes the table of src/data/text/unicode_scripts.cpp to standard output.

    python tests/golden/make_unicode_scripts.py > src/data/text/unicode_scripts.cpp

The numbers are of this table alone; characters without a row go with everything.
"""
from tokenizers import pre_tokenizers

splitter = pre_tokenizers.UnicodeScripts()
HEAD = '''#include "data/text/unicode_scripts.h"

#include <algorithm>
#include <iterator>

namespace rootstock {
namespace {

struct Range {
    std::int32_t first, last, script;
};

// Written by tests/golden/make_unicode_scripts.py.
// clang-format off
constexpr Range ranges[] = {
'''
TAIL = '''};
// clang-format on

}  // namespace

std::int32_t unicode_script(std::int32_t code_point) {
    const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), code_point,
                                         [](std::int32_t c, const Range& range) { return c < range.first; });
    if (after == std::begin(ranges) || code_point > (after - 1)->last) return any_script;
    return (after - 1)->script;
}

}  // namespace rootstock
'''


def pieces(text):
    return len(splitter.pre_tokenize_str(text))


def main():
    known, runs = [], []
    for code_point in range(0x110000):
        character = chr(code_point)
        if 0xD800 <= code_point < 0xE000 or pieces(character) == 0:
            continue
        if runs and runs[-1][1] == code_point - 1 and pieces(known[runs[-1][2]] + character) == 1:
            runs[-1][1] = code_point
            continue
        script = next((i for i, one in enumerate(known) if pieces(one + character) == 1), len(known))
        if script == len(known):
            known.append(character)
        runs.append([code_point, code_point, script])
    print(HEAD, end="")
    rows = [f"{{0x{first:X}, 0x{last:X}, {script}}}," for first, last, script in runs]
    for begin in range(0, len(rows), 6):
        print("    " + " ".join(rows[begin:begin + 6]))
    print(TAIL, end="")


if __name__ == "__main__":
    main()
