#include "http/message/query.h"

#include "http/message/percent.h"

namespace rootstock::http {
namespace {

std::optional<Header> field_of(std::string_view text) {
    auto sign = text.find('=');
    auto name = percent_decode(text.substr(0, sign), Plus::is_blank);
    auto value = sign == std::string_view::npos ? std::optional<std::string>("")
                                                : percent_decode(text.substr(sign + 1), Plus::is_blank);
    if (!name || name->empty() || !value) return std::nullopt;
    return Header{std::move(*name), std::move(*value)};
}

}  // namespace

Accepted<std::vector<Header>> parse_query(std::string_view query) {
    std::vector<Header> fields;
    while (!query.empty()) {
        auto end = query.find('&');
        auto piece = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (piece.empty()) continue;
        if (fields.size() == query_fields_max)
            return std::unexpected(
                Refusal{400, "the query has more than " + std::to_string(query_fields_max) + " fields"});
        auto field = field_of(piece);
        if (!field) return std::unexpected(Refusal{400, "the query is malformed: percent-encode it, in UTF-8"});
        fields.push_back(std::move(*field));
    }
    return fields;
}

}  // namespace rootstock::http
