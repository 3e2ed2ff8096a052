// http/message: a form read in pieces comes to the same parts as the form at once; content types and queries.

#include <cstdlib>
#include <string>

#include "http/http.h"
#include "input.h"

namespace {

using namespace rootstock::http;

class Listener final : public PartSink {
public:
    std::optional<Refusal> begin(const PartHead& head) override {
        heard += "[" + head.name + "|" + head.filename.value_or("") + "|" + head.content_type + "]";
        return std::nullopt;
    }
    std::optional<Refusal> data(std::string_view bytes) override {
        heard.append(bytes);
        return std::nullopt;
    }
    std::optional<Refusal> end() override {
        heard += "[end]";
        return std::nullopt;
    }
    std::string heard;
};

std::string read(std::string_view body, std::size_t piece) {
    Listener listener;
    MultipartReader reader("b", {}, listener);
    std::optional<Refusal> refusal;
    for (std::size_t at = 0; at < body.size() && !refusal; at += piece) refusal = reader.add(body.substr(at, piece));
    if (!refusal) refusal = reader.finish();
    return refusal ? "refused" : listener.heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = rootstock::fuzz::as_text(data, size);
    const auto whole = read(text, size + 1);
    for (std::size_t piece : {1, 3, 7})
        if (read(text, piece) != whole) std::abort();
    rootstock::fuzz::use(boundary_of(text).has_value());
    auto query = parse_query(text);
    rootstock::fuzz::use(query ? query->size() : 0);
    return 0;
}
