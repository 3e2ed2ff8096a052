#include "data/tokenizer/byte_level.h"

#include <array>

#include "data/text/utf8.h"
#include "data/tokenizer/decoders.h"

namespace rootstock {
namespace {

constexpr std::string_view gpt2_words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::int32_t characters_end = 0x144;

struct Tables {
    std::array<std::array<char, 2>, 256> bytes{};
    std::array<std::uint8_t, 256> length{};
    std::array<std::int16_t, characters_end> byte_of;

    Tables() {
        byte_of.fill(-1);
        std::int32_t next = 256;
        for (std::int32_t byte = 0; byte < 256; ++byte) {
            bool itself = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
            set(byte, itself ? byte : next++);
        }
    }

    void set(std::int32_t byte, std::int32_t character) {
        std::string text;
        append_utf8(text, character);
        auto at = static_cast<std::size_t>(byte);
        for (std::size_t i = 0; i < text.size(); ++i) bytes[at][i] = text[i];
        length[at] = static_cast<std::uint8_t>(text.size());
        byte_of[static_cast<std::size_t>(character)] = static_cast<std::int16_t>(byte);
    }
};

const Tables& tables() {
    static const Tables made;
    return made;
}

// Appends `text` in byte characters; `origin` is that of its bytes, or empty.
void append_characters(std::string_view text, std::span<const CharSpan> origin, TextBuffer& out) {
    const auto& table = tables();
    auto begin = out.bytes.size();
    out.bytes.resize(begin + 2 * text.size());
    char* write = out.bytes.data() + begin;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        write[0] = table.bytes[byte][0];
        write[1] = table.bytes[byte][1];  // overwritten where there is none
        write += table.length[byte];
    }
    out.bytes.resize(static_cast<std::size_t>(write - out.bytes.data()));
    for (std::size_t i = 0; i < origin.size(); ++i)
        out.origin.insert(out.origin.end(), table.length[static_cast<unsigned char>(text[i])], origin[i]);
}

// Bytes at the end that may yet become a character.
std::size_t unfinished(std::string_view bytes) {
    for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
        auto end = bytes.substr(bytes.size() - back);
        if (is_continuation_byte(end[0])) continue;
        auto start = character_start(end);
        return start.open && start.length == back ? back : 0;
    }
    return 0;
}

// The bytes of a token. One with a character that stands for no byte is taken as it is.
void append_token_bytes(std::string_view piece, std::string& bytes) {
    const auto before = bytes.size();
    for (std::size_t at = 0; at < piece.size();) {
        const auto decoded = decode_utf8(piece.substr(at));
        const auto byte = decoded.length ? byte_of_character(decoded.code_point) : -1;
        if (byte < 0) {
            bytes.resize(before);
            bytes += piece;
            return;
        }
        bytes += static_cast<char>(byte);
        at += decoded.length;
    }
}

class ByteLevelStage final : public DecodeStage {
public:
    void push(std::string_view piece, std::vector<std::string>& out) override {
        append_token_bytes(piece, bytes_);
        auto ready = bytes_.size() - unfinished(bytes_);
        if (ready == 0) return;
        out.push_back(to_valid_utf8(std::string_view(bytes_).substr(0, ready)));
        bytes_.erase(0, ready);
    }
    void finish(std::vector<std::string>& out) override {
        if (!bytes_.empty()) out.push_back(to_valid_utf8(bytes_));
        bytes_.clear();
    }

private:
    std::string bytes_;
};

}  // namespace

std::string_view byte_character(unsigned char byte) { return {tables().bytes[byte].data(), tables().length[byte]}; }

int byte_of_character(std::int32_t code_point) {
    if (code_point < 0 || code_point >= characters_end) return -1;
    return tables().byte_of[static_cast<std::size_t>(code_point)];
}

void ByteLevelNormalizer::normalize(TextView in, TextBuffer& out) const { append_characters(in.bytes, in.origin, out); }

Result<std::unique_ptr<PreTokenizer>> ByteLevelPreTokenizer::make(bool add_prefix_space, bool split_words) {
    auto made = std::make_unique<ByteLevelPreTokenizer>();
    made->add_prefix_space_ = add_prefix_space;
    if (split_words) {
        ROOTSTOCK_TRY(pattern, Pattern::compile(gpt2_words, "ByteLevel"));
        made->pattern_ = std::move(pattern);
    }
    return made;
}

void ByteLevelPreTokenizer::split(std::string_view, ByteSpan word, std::vector<ByteSpan>& words) const {
    words.push_back(word);  // rewrite() does the work
}

void ByteLevelPreTokenizer::rewrite(TextView in, std::span<const ByteSpan> words, TextBuffer& out,
                                    std::vector<ByteSpan>& out_words) const {
    std::string prefixed;
    std::vector<CharSpan> prefixed_origin;
    for (auto word : words) {
        auto text = word.of(in.bytes);
        auto origin = in.origin.empty() ? in.origin : in.origin.subspan(word.begin, text.size());
        if (add_prefix_space_ && !text.starts_with(' ')) {
            (prefixed = ' ') += text;
            text = prefixed;
            if (!origin.empty()) {
                prefixed_origin.assign(1, origin[0]);
                prefixed_origin.insert(prefixed_origin.end(), origin.begin(), origin.end());
                origin = prefixed_origin;
            }
        }
        auto add = [&](std::size_t begin, std::size_t end) {
            if (begin == end) return;
            auto at = out.bytes.size();
            append_characters(text.substr(begin, end - begin),
                              origin.empty() ? origin : origin.subspan(begin, end - begin), out);
            out_words.push_back(byte_span(at, out.bytes.size()));
        };
        std::size_t done = 0;
        if (pattern_)
            pattern_->each_match(text, [&](std::size_t begin, std::size_t end) {
                add(done, begin);
                add(begin, end);
                done = end;
            });
        add(done, text.size());
    }
}

std::unique_ptr<DecodeStage> ByteLevelDecoder::stage(bool fused) const {
    return gathered(fused, std::make_unique<ByteLevelStage>());
}

std::optional<std::string> ByteLevelDecoder::bytes_of(std::string_view piece, bool, bool fused) const {
    if (fused) return {};
    std::string bytes;
    append_token_bytes(piece, bytes);
    return bytes;
}

}  // namespace rootstock
