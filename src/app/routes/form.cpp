#include "app/routes/form.h"

#include <algorithm>
#include <array>

namespace rootstock {
namespace {

constexpr std::size_t field_bytes_max = 64 * 1024;
constexpr std::size_t filename_bytes_max = 255;
constexpr std::size_t piece_bytes = 256 * 1024;

std::optional<http::Refusal> refuse(const std::string& sentence) { return http::Refusal{400, sentence}; }

class FormSink final : public http::PartSink {
public:
    FormSink(std::string_view file_field, const store::Blobs& blobs) : file_field_(file_field), blobs_(blobs) {}

    std::optional<http::Refusal> begin(const http::PartHead& head) override {
        in_file_ = head.name == file_field_;
        if (in_file_) return begin_file(head);
        if (head.filename) return refuse("'" + head.name + "' must be a plain field, not a file");
        form_.fields.push_back({head.name, {}});
        return std::nullopt;
    }

    std::optional<http::Refusal> data(std::string_view bytes) override {
        if (in_file_) {
            auto kept = form_.file->blob.append(bytes);
            if (!kept) trouble_ = kept.error();
            return kept ? std::nullopt : refuse("the disk refuses");
        }
        auto& value = form_.fields.back().value;
        if (value.size() + bytes.size() > field_bytes_max)
            return refuse("'" + form_.fields.back().name + "' is longer than " + std::to_string(field_bytes_max) +
                          " bytes");
        value.append(bytes);
        return std::nullopt;
    }

    std::optional<http::Refusal> end() override { return std::nullopt; }

    Form take() { return std::move(form_); }
    const std::optional<Error>& trouble() const { return trouble_; }

private:
    std::optional<http::Refusal> begin_file(const http::PartHead& head) {
        const auto field = std::string(file_field_);
        if (form_.file) return refuse("'" + field + "' is given twice");
        auto name = head.filename.value_or("upload");
        bool control =
            std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        if (name.empty() || name.size() > filename_bytes_max || control)
            return refuse("the file's name must have 1 to " + std::to_string(filename_bytes_max) +
                          " bytes and no control characters");
        auto blob = blobs_.begin();
        if (!blob) {
            trouble_ = blob.error();
            return refuse("the disk refuses");
        }
        form_.file.emplace(FormFile{std::move(name), std::move(*blob)});
        return std::nullopt;
    }

    std::string_view file_field_;
    const store::Blobs& blobs_;
    Form form_;
    bool in_file_ = false;
    std::optional<Error> trouble_;
};

std::optional<http::Refusal> read_file_body(const http::BodyFile& body, http::MultipartReader& reader) {
    std::string piece(piece_bytes, '\0');
    for (std::uint64_t at = 0; at < body.size();) {
        auto got = body.read_at(at, piece);
        if (!got || *got == 0) return refuse("the body cannot be read back");
        at += *got;
        if (auto refusal = reader.add(std::string_view(piece).substr(0, *got))) return refusal;
    }
    return std::nullopt;
}

Error error_of(const http::Refusal& refusal) {
    if (refusal.status == 415) return {ErrorCode::invalid_argument, refusal.sentence, {}, "unsupported_media_type"};
    return {ErrorCode::invalid_argument, refusal.sentence, {}, {}};
}

}  // namespace

Result<Form> read_form(const http::Request& request, std::string_view file_field, const store::Blobs& blobs) {
    auto boundary = http::boundary_of(request.header("Content-Type").value_or(""));
    if (!boundary) return fail(error_of(boundary.error()));
    FormSink sink(file_field, blobs);
    http::MultipartReader reader(*boundary, {}, sink);
    auto refusal = request.body_file ? read_file_body(*request.body_file, reader) : reader.add(request.body);
    if (!refusal) refusal = reader.finish();
    if (sink.trouble()) return fail(*sink.trouble());
    if (refusal) return fail(error_of(*refusal));
    auto form = sink.take();
    if (!form.file)
        return fail(ErrorCode::invalid_argument, "'" + std::string(file_field) + "' is missing: send the file in it",
                    std::string(file_field));
    return form;
}

}  // namespace rootstock
