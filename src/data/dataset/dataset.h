#pragma once
// A labelled data set: what a customer's file turns into before a model learns from it.
//
// Good rows become examples; every other row is a Problem with row number and reason, kept aside and never
// dropped silently. The set is known by the SHA-256 of its file's bytes.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/reader/reader.h"

namespace rootstock {

struct TextExample {
    std::string text;        // as in the file, valid UTF-8, not blank
    std::int32_t label = 0;  // index into the labels
    std::int64_t row = 0;    // 1-based data row of the file
    bool operator==(const TextExample&) const = default;
};

struct TextDataset {
    std::vector<TextExample> examples;  // in file order
    std::vector<std::string> labels;    // sorted by bytes when learned; as given when known
    std::vector<Problem> problems;      // rows kept aside, in file order
    std::vector<std::string> warnings;  // sentences: a label seen once, the same text under two labels, ...
    std::string text_column;            // what was chosen
    std::string label_column;
    std::string digest;           // SHA-256 of the file, lower-case hexadecimal
    std::int64_t rows = 0;        // data rows met, problems included
    std::int64_t duplicates = 0;  // rows whose text and label repeat an earlier row; they are kept
};

struct TextDatasetOptions {
    std::string text_column = {};                // empty: detected by name, then by content
    std::string label_column = {};               // empty: likewise
    std::vector<std::string> known_labels = {};  // empty: learn them (an evaluation file passes the model's)
    ReadOptions read = {};                       // format, delimiter, header, largest row
};

// invalid_argument, each with what to do: empty file, missing column (lists those found), columns that cannot be
// told apart (likewise), no usable row left (names the first problem), only one label (when learning labels).
// A label is the column's value without surrounding white space.
Result<TextDataset> read_labelled_texts(const std::filesystem::path& path, const TextDatasetOptions& options = {});

// Indices into the examples, each in ascending order.
struct Split {
    std::vector<std::size_t> train;
    std::vector<std::size_t> held_out;
};

// Holds out about `share` (0 to 1) of each label's examples, chosen by the seed. Examples with the same text always
// stand on one side; a label seen once stays in training. The same examples, share and seed give the same split.
Split split_stratified(std::span<const TextExample> examples, double share, std::uint64_t seed);

// JSON lines {"row":17,"line":19,"field":"category","reason":"..."}.
Result<void> write_problems(const std::filesystem::path& path, std::span<const Problem> problems);

// train.jsonl of the job folder (base/job.h), and its reader. The reader refuses the file with the line number when
// a line is not {"text","label","row"} or a label lies outside [0, classes).
Result<void> write_training_rows(const std::filesystem::path& path, std::span<const TextExample> examples);
Result<std::vector<TextExample>> read_training_rows(const std::filesystem::path& path, std::int32_t classes);

}  // namespace rootstock
