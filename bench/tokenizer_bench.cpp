// Tokens a second on one core: tokenizer_bench TOKENIZER TEXT [SECONDS] encodes the lines of TEXT again and again on
// the fast path (encode_ids) and prints one JSON line. bench/peers/tokenizer_peer.py measures the reference the same
// way.

#include <cstdio>
#include <cstdlib>

#include "data/data.h"

namespace rootstock {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        auto end = std::min(text.find('\n', at), text.size());
        if (end > at) lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

Result<void> measure(const char* model, const char* file, double seconds) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load_file(model));
    ROOTSTOCK_TRY(text, read_file(file));
    auto lines = lines_of(text);
    std::vector<std::int32_t> ids;
    std::size_t tokens = 0, bytes = 0;
    auto start = monotonic_seconds();
    do {
        for (const auto& line : lines) {
            ids.clear();
            ROOTSTOCK_TRY(count, tokenizer.encode_ids(line, {}, ids));
            tokens += count;
            bytes += line.size();
        }
    } while (monotonic_seconds() - start < seconds);
    auto wall = monotonic_seconds() - start;
    std::printf("{\"tokens_per_s\": %.0f, \"mb_per_s\": %.2f}\n", static_cast<double>(tokens) / wall,
                static_cast<double>(bytes) / wall / 1e6);
    return {};
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    if (count < 3) return std::fprintf(stderr, "tokenizer_bench TOKENIZER TEXT [SECONDS]\n"), 2;
    auto measured = rootstock::measure(words[1], words[2], count > 3 ? std::atof(words[3]) : 3);
    if (!measured) std::fprintf(stderr, "%s\n", measured.error().message.c_str());
    return measured ? 0 : 1;
}
