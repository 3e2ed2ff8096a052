#include "http/message/encoding.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "base/base.h"
#include "http/message/list_field.h"

namespace rootstock::http {
namespace {

constexpr int fastest = 1;       // twice as large a gain costs five times as long
constexpr int gzip_window = 31;  // 2^15 bytes, and 16 for the gzip format

// "0", "0.5", "1.000" (RFC 9110, 12.4.2) in thousandths.
std::optional<int> weight_of(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int thousandths = (text[0] - '0') * 1000, place = 100;
    for (char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
        if (digit < '0' || digit > '9') return std::nullopt;
        thousandths += (digit - '0') * place;
        place /= 10;
    }
    if (thousandths > 1000) return std::nullopt;
    return thousandths;
}

struct Coding {
    std::string_view name;
    int weight = 1000;
};

// "gzip", "gzip;q=0.5", "gzip ; Q=1".
std::optional<Coding> coding_of(std::string_view member) {
    const auto semicolon = member.find(';');
    Coding coding{trimmed(member.substr(0, semicolon))};
    if (!is_token(coding.name)) return std::nullopt;
    if (semicolon == std::string_view::npos) return coding;
    const auto parameter = trimmed(member.substr(semicolon + 1));
    if (!same_name(parameter.substr(0, 2), "q=")) return std::nullopt;
    const auto weight = weight_of(parameter.substr(2));
    if (!weight) return std::nullopt;
    coding.weight = *weight;
    return coding;
}

}  // namespace

bool prefers_gzip(std::string_view accept_encoding) {
    std::optional<int> packed, plain, others;
    for (auto member : members_of(accept_encoding)) {
        const auto coding = coding_of(member);
        if (!coding) return false;
        if (same_name(coding->name, "gzip") || same_name(coding->name, "x-gzip"))
            packed = coding->weight;
        else if (same_name(coding->name, "identity"))
            plain = coding->weight;
        else if (coding->name == "*")
            others = coding->weight;
    }
    const int weight = packed.value_or(others.value_or(0));
    return weight > 0 && weight >= plain.value_or(0);
}

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    ROOTSTOCK_CHECK(deflateInit2(&stream, fastest, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                    "zlib does not start");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    ROOTSTOCK_CHECK(bytes.size() <= UINT32_MAX && out.size() <= UINT32_MAX, "a body too large for one piece");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    ROOTSTOCK_CHECK(ended == Z_STREAM_END, "zlib needs more room than it said");
    return out;
}

bool may_be_packed(const Response& response) {
    if (response.stream || response.body_file || response.body.empty()) return false;
    for (const auto& header : response.headers)
        if (same_name(header.name, "Content-Encoding")) return false;
    const std::string_view type(response.content_type);
    if (type.starts_with("text/event-stream")) return false;  // kept for an idempotency key, told in one piece
    return type.starts_with("text/") || type.starts_with("application/json") || type.starts_with("application/jsonl");
}

void pack(Response& response, std::string packed) {
    response.body = std::move(packed);
    response.headers.push_back({"Content-Encoding", "gzip"});
    for (auto& header : response.headers)
        if (same_name(header.name, "ETag") && header.value.ends_with('"'))
            header.value.insert(header.value.size() - 1, "-gzip");
}

void vary_by(Response& response, std::string_view name) {
    for (auto& header : response.headers) {
        if (!same_name(header.name, "Vary")) continue;
        for (auto member : members_of(header.value))
            if (same_name(member, name)) return;
        header.value.append(", ").append(name);
        return;
    }
    response.headers.push_back({"Vary", std::string(name)});
}

}  // namespace rootstock::http
