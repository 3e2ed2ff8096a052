#include "data/tokenizer/decoders.h"

#include <utility>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

using Pieces = std::vector<std::string>;

// Most stages are a function of one piece.
template <typename Function>
class SimpleStage final : public DecodeStage {
public:
    explicit SimpleStage(Function function) : function_(std::move(function)) {}
    void push(std::string_view piece, Pieces& out) override { function_(piece, out); }
    void finish(Pieces&) override {}

private:
    Function function_;
};

template <typename Function>
std::unique_ptr<DecodeStage> simple_stage(Function function) {
    return std::make_unique<SimpleStage<Function>>(std::move(function));
}

class Gather final : public DecodeStage {
public:
    explicit Gather(std::unique_ptr<DecodeStage> inner) : inner_(std::move(inner)) {}
    void push(std::string_view piece, Pieces&) override { whole_ += piece; }
    void finish(Pieces& out) override {
        inner_->push(std::exchange(whole_, {}), out);
        inner_->finish(out);
    }

private:
    std::unique_ptr<DecodeStage> inner_;
    std::string whole_;
};

// In this order, on every token with its space: what the reference does, " do not" included.
std::string clean_up(std::string token) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (const auto& [from, to] : rules) token = replace_all(token, from, to);
    return token;
}

class BpeStage final : public DecodeStage {
public:
    explicit BpeStage(std::string_view suffix) : suffix_(suffix) {}
    void push(std::string_view piece, Pieces& out) override {
        if (held_) out.push_back(replace_all(*held_, suffix_, " "));
        held_ = std::string(piece);
    }
    void finish(Pieces& out) override {
        if (held_) out.push_back(replace_all(*held_, suffix_, ""));
        held_.reset();
    }

private:
    std::string_view suffix_;
    std::optional<std::string> held_;
};

int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte of "<0xE4>", or -1.
int fallback_byte(std::string_view piece) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) return -1;
    auto high = hexadecimal(piece[3]), low = hexadecimal(piece[4]);
    if (piece[3] == '+' && low >= 0) return low;  // the reference's number parser takes a sign
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

class ByteFallbackStage final : public DecodeStage {
public:
    void push(std::string_view piece, Pieces& out) override {
        auto byte = fallback_byte(piece);
        if (byte >= 0) {
            run_ += static_cast<char>(byte);
            return;
        }
        finish(out);
        out.emplace_back(piece);
    }
    void finish(Pieces& out) override {
        if (run_.empty()) return;
        if (valid(run_))
            out.push_back(run_);
        else
            for (std::size_t i = 0; i < run_.size(); ++i) out.emplace_back("\xEF\xBF\xBD");
        run_.clear();
    }

private:
    static bool valid(std::string_view bytes) {
        while (!bytes.empty()) {
            auto start = character_start(bytes);
            if (!start.whole) return false;
            bytes.remove_prefix(start.length);
        }
        return true;
    }
    std::string run_;
};

class CtcStage final : public DecodeStage {
public:
    CtcStage(std::string_view pad, std::string_view delimiter, bool cleanup)
        : pad_(pad), delimiter_(delimiter), cleanup_(cleanup) {}
    void push(std::string_view piece, Pieces& out) override {
        if (last_ == piece) return;
        last_ = std::string(piece);
        auto text = replace_all(piece, pad_, "");
        if (cleanup_) text = replace_all(clean_up(std::move(text)), delimiter_, " ");
        if (!text.empty()) out.push_back(std::move(text));
    }
    void finish(Pieces&) override {}

private:
    std::string_view pad_, delimiter_;
    bool cleanup_;
    std::optional<std::string> last_;
};

// Strip on one long token that comes in parts: the first characters are looked at once, the last ones held back.
class FusedStripStage final : public DecodeStage {
public:
    FusedStripStage(std::string_view content, std::size_t start, std::size_t stop)
        : content_(content), start_(start), stop_(stop) {}
    void push(std::string_view piece, Pieces& out) override {
        while (start_ > 0 && piece.starts_with(content_)) {
            piece.remove_prefix(content_.size());
            --start_;
        }
        if (!piece.empty()) start_ = 0;
        held_ += piece;
        auto kept = held_.size();
        for (std::size_t i = 0; i < stop_ && std::string_view(held_).substr(0, kept).ends_with(content_); ++i)
            kept -= content_.size();
        if (kept > 0) out.push_back(held_.substr(0, kept));
        held_.erase(0, kept);
    }
    void finish(Pieces&) override { held_.clear(); }

private:
    std::string_view content_;
    std::size_t start_, stop_;
    std::string held_;
};

class ChainStage final : public DecodeStage {
public:
    explicit ChainStage(std::vector<std::unique_ptr<DecodeStage>> stages) : stages_(std::move(stages)) {}
    void push(std::string_view piece, Pieces& out) override { push_from(0, piece, out); }
    void finish(Pieces& out) override {
        for (std::size_t i = 0; i < stages_.size(); ++i) {
            Pieces last;
            stages_[i]->finish(last);
            for (const auto& piece : last) push_from(i + 1, piece, out);
        }
    }

private:
    void push_from(std::size_t at, std::string_view piece, Pieces& out) {
        if (at == stages_.size()) {
            out.emplace_back(piece);
            return;
        }
        Pieces next;
        stages_[at]->push(piece, next);
        for (const auto& one : next) push_from(at + 1, one, out);
    }
    std::vector<std::unique_ptr<DecodeStage>> stages_;
};

}  // namespace

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    if (from.empty()) return std::string(text);
    while (true) {
        auto at = text.find(from);
        out += text.substr(0, at);
        if (at == std::string_view::npos) return out;
        out += to;
        text.remove_prefix(at + from.size());
    }
}

std::unique_ptr<DecodeStage> gathered(bool fused, std::unique_ptr<DecodeStage> stage) {
    return fused ? std::make_unique<Gather>(std::move(stage)) : std::move(stage);
}

std::unique_ptr<DecodeStage> WordPieceDecoder::stage(bool fused) const {
    return gathered(fused, simple_stage([this, first = true](std::string_view piece, Pieces& out) mutable {
                        bool continues = !first && piece.starts_with(prefix_);
                        std::string text = continues || first ? "" : " ";
                        text += continues ? piece.substr(prefix_.size()) : piece;
                        out.push_back(cleanup_ ? clean_up(std::move(text)) : std::move(text));
                        first = false;
                    }));
}

std::unique_ptr<DecodeStage> BpeDecoder::stage(bool fused) const {
    return gathered(fused, std::make_unique<BpeStage>(suffix_));
}

std::unique_ptr<DecodeStage> CtcDecoder::stage(bool fused) const {
    return gathered(fused, std::make_unique<CtcStage>(pad_, delimiter_, cleanup_));
}

std::unique_ptr<DecodeStage> ByteFallbackDecoder::stage(bool fused) const {
    return gathered(fused, std::make_unique<ByteFallbackStage>());
}

std::unique_ptr<DecodeStage> ReplaceDecoder::stage(bool fused) const {
    return gathered(fused, simple_stage([this](std::string_view piece, Pieces& out) {
                        std::string text;
                        std::size_t done = 0;
                        pattern_.each_match(piece, [&](std::size_t begin, std::size_t end) {
                            (text += piece.substr(done, begin - done)) += content_;
                            done = end;
                        });
                        out.push_back(text += piece.substr(done));
                    }));
}

std::unique_ptr<DecodeStage> FuseDecoder::stage(bool) const {
    return simple_stage([](std::string_view piece, Pieces& out) { out.emplace_back(piece); });
}

std::unique_ptr<DecodeStage> StripDecoder::stage(bool fused) const {
    if (fused) return std::make_unique<FusedStripStage>(content_, start_, stop_);
    return simple_stage([this](std::string_view piece, Pieces& out) {
        for (std::size_t i = 0; i < start_ && piece.starts_with(content_); ++i) piece.remove_prefix(content_.size());
        for (std::size_t i = 0; i < stop_ && piece.ends_with(content_); ++i) piece.remove_suffix(content_.size());
        out.emplace_back(piece);
    });
}

std::unique_ptr<DecodeStage> DecoderChain::stage(bool fused) const {
    std::vector<std::unique_ptr<DecodeStage>> stages;
    for (const auto& decoder : decoders_) {
        stages.push_back(decoder->stage(fused));
        fused = fused || decoder->fuses();
    }
    return std::make_unique<ChainStage>(std::move(stages));
}

bool DecoderChain::fuses() const {
    for (const auto& decoder : decoders_)
        if (decoder->fuses()) return true;
    return false;
}

// Most decoders look at one token at a time, so a stage tells what it makes of this one.
std::optional<std::string> Decoder::bytes_of(std::string_view piece, bool first, bool fused) const {
    if (fused) return {};
    const auto one = stage(false);
    Pieces out;
    if (!first) one->push("a", out);
    out.clear();
    one->push(piece, out);
    one->finish(out);
    std::string bytes;
    for (const auto& part : out) bytes += part;
    return bytes;
}

std::optional<std::string> ByteFallbackDecoder::bytes_of(std::string_view piece, bool, bool fused) const {
    if (fused) return {};
    const auto byte = fallback_byte(piece);
    return byte < 0 ? std::string(piece) : std::string(1, static_cast<char>(byte));
}

std::optional<std::string> StripDecoder::bytes_of(std::string_view piece, bool first, bool fused) const {
    if (!fused) return Decoder::bytes_of(piece, first, fused);
    if (start_ > 1 || stop_ > 0) return {};
    if (first && start_ == 1 && piece.starts_with(content_)) piece.remove_prefix(content_.size());
    return std::string(piece);
}

std::optional<std::string> DecoderChain::bytes_of(std::string_view piece, bool first, bool fused) const {
    std::optional<std::string> bytes(piece);
    for (const auto& decoder : decoders_) {
        bytes = decoder->bytes_of(*bytes, first, fused);
        if (!bytes) break;
        fused = fused || decoder->fuses();
    }
    return bytes;
}

std::unique_ptr<DecodeStage> JoiningDecoder::stage(bool) const {
    return simple_stage([first = true](std::string_view piece, Pieces& out) mutable {
        out.push_back((first ? "" : " ") + std::string(piece));
        first = false;
    });
}

}  // namespace rootstock
