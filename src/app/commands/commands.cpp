#include "app/commands/commands.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "app/wiring/records.h"

namespace rootstock {
namespace {

constexpr int exit_error = 1;
constexpr int exit_interrupted = 130;

// Code points, not bytes: what a terminal shows of "München" is seven columns.
std::size_t columns_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    std::string blanks(width - std::min(width, columns_of(text)), ' ');
    return right ? blanks + text : text + blanks;
}

// Optimal string alignment distance (Damerau-Levenshtein without repeated edits of one place).
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

}  // namespace

Result<Workplace> open_workplace(const Context& context) {
    ROOTSTOCK_TRY(home, open_home(context.home));
    ROOTSTOCK_TRY(records, open_records(home));
    return Workplace{std::move(home), std::move(records)};
}

void run_command(Context& context, const std::function<Result<void>()>& body) {
    auto run = [&]() -> Result<void> {
        try {
            return body();
        } catch (const std::exception& fault) {
            return fail(ErrorCode::internal, std::string("an unforeseen fault: ") + fault.what());
        }
    };
    auto outcome = run();
    if (outcome) return;
    print_error(context, outcome.error());
    context.exit_code = outcome.error().code == ErrorCode::cancelled ? exit_interrupted : exit_error;
}

json::value to_json(const Error& error) {
    json::object object{{"code", name(error.code)}, {"message", error.message}};
    if (!error.param.empty()) object["param"] = error.param;
    if (!error.reason.empty()) object["reason"] = error.reason;
    return object;
}

void print_error(const Context& context, const Error& error) {
    if (context.json) {
        print_json(json::object{{"error", to_json(error)}});
        return;
    }
    std::fflush(stdout);
    std::fprintf(stderr, "rootstock: %s\n", error.message.c_str());
}

void print_json(const json::value& value) {
    std::printf("%s\n", json::serialize(value).c_str());
    std::fflush(stdout);
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < header_.size(); ++c) {
        widths.push_back(columns_of(header_[c]));
        for (const auto& row : rows_) widths[c] = std::max(widths[c], columns_of(row[c]));
    }
    auto line_of = [&](const std::vector<std::string>& row) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            bool right = std::find(right_.begin(), right_.end(), c) != right_.end();
            line += padded(row[c], widths[c], right) + "  ";
        }
        return line.substr(0, line.find_last_not_of(' ') + 1);
    };
    std::string text = paint(Colour::bold, line_of(header_)) + "\n";
    for (const auto& row : rows_) text += line_of(row) + "\n";
    return text;
}

std::string nearest_word(const std::string& word, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = std::min<std::size_t>(3, word.size());
    for (const auto& candidate : known)
        if (auto off = distance(word, candidate); off < best_distance) {
            best = candidate;
            best_distance = off;
        }
    return best;
}

}  // namespace rootstock
