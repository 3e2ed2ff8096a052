#pragma once
// paper: a business document as typeset bytes. It knows words, columns and sums, not what they are about: who bills
// fills a Document, and gets a PDF (A4, embedded subsets of Noto Sans and Noto Sans CJK, by pango and cairo) or a CSV.
// The same document gives the same text on the same pages; nothing is read but fonts.

#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock::paper {

struct Field {
    std::string label, text;
};

struct Column {
    std::string title;
    int share = 1;       // of the width, among all columns
    bool right = false;  // for numbers
};

struct Document {
    std::string language{"en"};       // BCP 47, for shaping and line breaks: "en", "zh"
    std::string title{};              // "Invoice"
    std::string number{};             // "INV-000017"
    std::string stamp{};              // "DRAFT": large and pale across the first page; empty: none
    std::vector<std::string> from{};  // lines of the sender; the first is its name
    std::string to_label{};           // "Bill to"
    std::vector<std::string> to{};    // lines of the addressee; the first is its name
    std::vector<Field> facts{};       // dates and the like
    std::vector<Column> columns{};
    std::vector<std::vector<std::string>> rows{};  // as many cells as columns; a cell may have lines of its own
    std::vector<Field> sums{};                     // under the last column; the last one is the one that counts
    std::vector<std::string> notes{};              // paragraphs at the end
    std::string page_word{"Page"};
    Timestamp made{};
};

// io when the library could not draw.
Result<std::string> pdf(const Document& document);

// RFC 4180: CRLF, quotes where needed. A cell that a spreadsheet would run (=, +, -, @, tab, CR in front) gets a '
// before it, unless it is a plain number.
std::string csv(const std::vector<std::vector<std::string>>& rows);

}  // namespace rootstock::paper
