#include "app/routes/picture_form.h"

namespace rootstock {
namespace {

constexpr std::size_t field_bytes_max = 1024;

std::optional<http::Refusal> refuse(const std::string& sentence) { return http::Refusal{400, sentence}; }

class PictureSink final : public http::PartSink {
public:
    explicit PictureSink(std::string_view file_field) : file_field_(file_field) {}

    std::optional<http::Refusal> begin(const http::PartHead& head) override {
        in_picture_ = head.name == file_field_;
        if (!in_picture_) {
            form.fields.push_back({head.name, {}});
            return head.filename ? refuse("'" + head.name + "' must be a plain field, not a file") : std::nullopt;
        }
        if (found) return refuse("'" + head.name + "' is given twice");
        found = true;
        return std::nullopt;
    }

    std::optional<http::Refusal> data(std::string_view bytes) override {
        auto& value = in_picture_ ? form.picture : form.fields.back().value;
        value.append(bytes);
        if (in_picture_ || value.size() <= field_bytes_max) return std::nullopt;
        return refuse("'" + form.fields.back().name + "' is longer than " + std::to_string(field_bytes_max) + " bytes");
    }

    std::optional<http::Refusal> end() override { return std::nullopt; }

    PictureForm form;
    bool found = false;

private:
    std::string_view file_field_;
    bool in_picture_ = false;
};

}  // namespace

Result<PictureForm> read_picture_form(const http::Request& request, std::string_view file_field) {
    auto boundary = http::boundary_of(request.header("Content-Type").value_or(""));
    if (!boundary) return fail(ErrorCode::invalid_argument, boundary.error().sentence);
    PictureSink sink(file_field);
    http::MultipartReader reader(*boundary, {}, sink);
    auto refusal = reader.add(request.body);
    if (!refusal) refusal = reader.finish();
    if (refusal) return fail(ErrorCode::invalid_argument, refusal->sentence);
    if (sink.found) return std::move(sink.form);
    return fail(ErrorCode::invalid_argument, "'" + std::string(file_field) + "' is missing: send the picture in it",
                std::string(file_field));
}

}  // namespace rootstock
