#include "data/tokenizer/text_stream.h"

#include "data/tokenizer/parts.h"

namespace rootstock {
namespace {

std::string joined(const std::vector<std::string>& pieces) {
    std::string text;
    for (const auto& piece : pieces) text += piece;
    return text;
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, bool skip_special)
    : parts_(tokenizer.parts_), stage_(parts_->decoder->stage(false)), skip_special_(skip_special) {}
TextStream::~TextStream() = default;
TextStream::TextStream(TextStream&&) noexcept = default;
TextStream& TextStream::operator=(TextStream&&) noexcept = default;

std::string TextStream::push(std::int32_t id) {
    const auto* added = parts_->added.by_id(id);
    auto token = added ? std::string_view(added->content) : parts_->model->token(id);
    if (token.empty()) return {};
    if (skip_special_) {
        const auto* named = added ? added : parts_->added.by_content(token);
        if (named && named->special) return {};
    }
    std::vector<std::string> out;
    stage_->push(token, out);
    return joined(out);
}

std::string TextStream::finish() {
    std::vector<std::string> out;
    stage_->finish(out);
    return joined(out);
}

}  // namespace rootstock
