#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/decoders.h"
#include "data/tokenizer/json_parts.h"

namespace rootstock {
namespace {

using Made = Result<std::unique_ptr<Decoder>>;

Made read_chain(const json::value& value, std::string_view what, int depth) {
    ROOTSTOCK_TRY(members, read_sequence(value, "decoders", what, depth));
    std::vector<std::unique_ptr<Decoder>> decoders;
    for (const auto& member : *members) {
        if (member.is_null()) return damaged(what, "a decoder of a Sequence is null");
        ROOTSTOCK_TRY(decoder, read_decoder(&member, what, depth + 1));
        decoders.push_back(std::move(decoder));
    }
    return std::make_unique<DecoderChain>(std::move(decoders));
}

Made read_replace(JsonFields& fields, std::string_view what) {
    const auto* pattern = fields.required_value("pattern");
    auto content = fields.required_string("content");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(compiled, read_pattern(pattern, what));
    return std::make_unique<ReplaceDecoder>(std::move(compiled), std::move(content));
}

Made read_strip(JsonFields& fields) {
    auto content = fields.required_string("content");
    auto start = fields.optional_int("start", 0, 0, INT64_MAX), stop = fields.optional_int("stop", 0, 0, INT64_MAX);
    if (content.empty()) fields.fault("content", "must be one character");
    return std::make_unique<StripDecoder>(std::move(content), static_cast<std::size_t>(start),
                                          static_cast<std::size_t>(stop));
}

Made read_type(const std::string& type, const json::value& value, JsonFields& fields, std::string_view what,
               int depth) {
    if (type == "WordPiece") {
        auto prefix = fields.optional_string("prefix", "##");
        return std::make_unique<WordPieceDecoder>(std::move(prefix), fields.optional_bool("cleanup", true));
    }
    if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(fields.optional_string("suffix", "</w>"));
    if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
    if (type == "Metaspace") {
        ROOTSTOCK_TRY(scheme, read_prepend_scheme(value, what));
        return std::make_unique<MetaspaceDecoder>(fields.optional_string("replacement", "\u2581"),
                                                  scheme != PrependScheme::never);
    }
    if (type == "CTC") {
        auto pad = fields.optional_string("pad_token", "<pad>");
        auto delimiter = fields.optional_string("word_delimiter_token", "|");
        return std::make_unique<CtcDecoder>(std::move(pad), std::move(delimiter),
                                            fields.optional_bool("cleanup", true));
    }
    if (type == "Sequence") return read_chain(value, what, depth);
    if (type == "Replace") return read_replace(fields, what);
    if (type == "Fuse") return std::make_unique<FuseDecoder>();
    if (type == "Strip") return read_strip(fields);
    if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
    return unknown_type(what, "decoder", type);
}

}  // namespace

Result<std::unique_ptr<Decoder>> read_decoder(const json::value* value, std::string_view what, int depth) {
    if (!value || value->is_null()) return std::make_unique<JoiningDecoder>();
    JsonFields fields(*value, std::string(what) + ", decoder");
    fields.ignore_others();
    auto made = read_type(type_of(*value), *value, fields, what, depth);
    if (!made) return damaged(made.error());
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    return made;
}

}  // namespace rootstock
