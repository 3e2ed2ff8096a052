// POST /v1/score: what a table model says of rows, each an object of cells by the name of its column.

#include <unordered_map>

#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

struct ScoreRequest {
    ScoreRowsOrder order;
    std::size_t top_k = 0;  // classes told of a row
};

// As the reader of JSON lines has cells: strings as they are, null as none, other values as JSON writes them.
std::optional<std::string> text_of(const json::value& cell) {
    if (cell.is_null()) return std::nullopt;
    if (const auto* text = cell.if_string()) return std::string(*text);
    if (const auto* number = cell.if_double()) return fmt::format("{}", *number);
    return json::serialize(cell);
}

class RowsReader {
public:
    explicit RowsReader(TableRows& rows) : rows_(rows) {}

    Result<void> add(const json::value& row) {
        const auto number = static_cast<std::int64_t>(rows_.records.size());
        const auto place = "rows[" + std::to_string(number) + "]";
        const auto* cells = row.if_object();
        if (!cells || cells->empty())
            return fail(ErrorCode::invalid_argument, place + " must be an object with a cell for each column", "rows");
        Record record{number + 1, number + 1, {}};
        for (const auto& [name, cell] : *cells) {
            if (cell.is_structured())
                return fail(
                    ErrorCode::invalid_argument,
                    place + ", column '" + std::string(name) + "': must be a string, a number, a boolean or null",
                    "rows");
            const auto column = column_called(name);
            if (record.values.size() <= column) record.values.resize(column + 1);
            record.values[column] = text_of(cell);
        }
        rows_.records.push_back(std::move(record));
        if (rows_.columns.size() <= table_columns_max) return {};
        return fail(ErrorCode::invalid_argument,
                    place + ": the rows have more than " + std::to_string(table_columns_max) + " columns", "rows");
    }

private:
    std::size_t column_called(std::string_view name) {
        const auto [found, fresh] = places_.try_emplace(std::string(name), rows_.columns.size());
        if (fresh) rows_.columns.emplace_back(name);
        return found->second;
    }

    TableRows& rows_;
    std::unordered_map<std::string, std::size_t> places_;
};

Result<void> read_rows(const json::value& value, std::size_t most, ScoreRowsOrder& order) {
    const auto* list = value.if_array();
    if (!list || list->empty())
        return fail(ErrorCode::invalid_argument, "'rows' must be a list of at least one object", "rows");
    if (list->size() > most)
        return fail(ErrorCode::invalid_argument,
                    "'rows' has " + std::to_string(list->size()) + " entries; at most " + std::to_string(most) +
                        " go in one request",
                    "rows", "too_many_inputs");
    RowsReader reader(order.rows);
    for (const auto& row : *list) {
        ROOTSTOCK_CHECKED(reader.add(row));
        order.digests.push_back(sha256_hex(json::serialize(row)));
    }
    return {};
}

Result<ScoreRequest> read_request(const Exchange& exchange) {
    ScoreRequest request;
    auto begun = begin_order(exchange);
    auto& order = request.order;
    order.request = begun.request;
    order.caller = std::move(begun.caller);
    order.once = std::move(begun.once);
    order.batch = begun.batch;
    order.presence = std::move(begun.presence);
    JsonFields fields(exchange.body, "the request body");
    order.model = fields.required_string("model");
    const auto* rows = fields.required_value("rows");
    order.lenient = fields.optional_bool("lenient", false);
    request.top_k = static_cast<std::size_t>(fields.optional_int("top_k", 100'000, 1, 100'000));
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_CHECKED(read_rows(*rows, exchange.services.scoring->limits().inputs_max, order));
    return request;
}

void append_class(std::string& out, const std::string& label, float score) {
    out += "\"label\":";
    append_quoted(out, label);
    out += ",\"score\":";
    append_number(out, score);
}

void append_classes(std::string& out, const ScoredRows& answer, std::size_t row, std::size_t top_k) {
    const auto classes = answer.classes.size();
    const auto begin = answer.scores.probabilities.begin() + static_cast<std::ptrdiff_t>(row * classes);
    const std::vector<float> probabilities(begin, begin + static_cast<std::ptrdiff_t>(classes));
    const auto ranked = ranking(probabilities);
    append_class(out, answer.classes[ranked.front()], probabilities[ranked.front()]);
    out += ",\"probabilities\":[";
    for (std::size_t place = 0; place < std::min(top_k, classes); ++place) {
        out += place == 0 ? "{" : ",{";
        append_class(out, answer.classes[ranked[place]], probabilities[ranked[place]]);
        out += "}";
    }
    out += "]";
}

void append_problem(std::string& out, const Problem& problem) {
    out.append("{\"index\":").append(std::to_string(problem.row - 1)).append(",\"column\":");
    append_quoted(out, problem.field);
    out += ",\"reason\":";
    append_quoted(out, problem.reason);
    out += "}";
}

std::string render(const ScoredRows& answer, std::size_t top_k) {
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, answer.model);
    out += ",\"target\":";
    append_quoted(out, answer.target);
    out += ",\"data\":[";
    for (std::size_t row = 0; row < answer.predictions.size(); ++row) {
        out.append(row > 0 ? "," : "")
            .append("{\"object\":\"score\",\"index\":")
            .append(std::to_string(row))
            .append(",");
        if (answer.classes.empty())
            out += fmt::format("\"value\":{}", answer.scores.numbers[row]);
        else
            append_classes(out, answer, row, top_k);
        out += ",\"prediction_id\":";
        append_quoted(out, answer.predictions[row].text());
        out += "}";
    }
    out += "],\"problems\":[";
    for (std::size_t i = 0; i < answer.problems.size(); ++i) {
        if (i > 0) out += ",";
        append_problem(out, answer.problems[i]);
    }
    return out + "],\"usage\":{\"rows\":" + std::to_string(answer.usage.rows) + "}}";
}

Task<Result<http::Response>> score(Exchange& exchange) {
    auto request = read_request(exchange);
    if (!request) co_return fail(request.error());
    auto tell = [top_k = request->top_k](const ScoredRows& answer) { return render(answer, top_k); };
    auto answered = co_await exchange.services.scoring->run(std::move(request->order), std::move(tell));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "score", std::move(*answered));
}

}  // namespace

void add_score_route(Routes& routes) { routes.add("POST", "/v1/score", {Access::key, Body::json, score}); }

}  // namespace rootstock
