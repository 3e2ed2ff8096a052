#include "data/tokenizer/metaspace.h"

#include "data/tokenizer/decoders.h"
#include "data/tokenizer/rewriting.h"

namespace rootstock {

void MetaspacePreTokenizer::split(std::string_view, ByteSpan word, std::vector<ByteSpan>& words) const {
    words.push_back(word);  // rewrite() does the work
}

void MetaspacePreTokenizer::rewrite_word(TextView in, ByteSpan word, TextBuffer& out) const {
    auto text = word.of(in.bytes);
    bool tracked = !in.origin.empty();
    auto place = [&](std::size_t at) { return tracked ? in.origin[at] : CharSpan{}; };
    bool begins = text.starts_with(replacement_) || text.starts_with(' ');
    bool wanted = scheme_ == PrependScheme::always || (scheme_ == PrependScheme::first && place(word.begin).begin == 0);
    if (!begins && wanted) append_from(replacement_, place(word.begin), tracked, out);
    for (std::size_t at = word.begin; at < word.end;) {
        if (in.bytes[at] == ' ') {
            append_from(replacement_, place(at), tracked, out);
            ++at;
            continue;
        }
        auto end = std::min<std::size_t>(in.bytes.find(' ', at), word.end);
        append_part(in, at, end, out);
        at = end;
    }
}

void MetaspacePreTokenizer::rewrite(TextView in, std::span<const ByteSpan> words, TextBuffer& out,
                                    std::vector<ByteSpan>& out_words) const {
    for (auto word : words) {
        auto begin = out.bytes.size();
        rewrite_word(in, word, out);
        if (cuts_)
            for (auto next = out.bytes.find(replacement_, begin + 1); next != std::string::npos;
                 next = out.bytes.find(replacement_, begin + 1)) {
                out_words.push_back(byte_span(begin, next));
                begin = next;
            }
        if (begin < out.bytes.size()) out_words.push_back(byte_span(begin, out.bytes.size()));
    }
}

namespace {

class MetaspaceStage final : public DecodeStage {
public:
    MetaspaceStage(std::string_view replacement, bool drops_first) : replacement_(replacement), drops_(drops_first) {}
    void push(std::string_view piece, std::vector<std::string>& out) override {
        out.push_back(replace_all(piece, replacement_, drops_ ? "" : " "));
        drops_ = false;
    }
    void finish(std::vector<std::string>&) override {}

private:
    std::string_view replacement_;
    bool drops_;
};

}  // namespace

std::unique_ptr<DecodeStage> MetaspaceDecoder::stage(bool fused) const {
    return gathered(fused, std::make_unique<MetaspaceStage>(replacement_, drops_first_));
}

}  // namespace rootstock
