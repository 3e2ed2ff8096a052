// POST /v1/extract: names, places, amounts... in texts, each with the characters where it stands. By a base model with
// a token head.

#include "app/routes/reading_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

struct ExtractRequest {
    std::string model;
    std::vector<std::string> texts;
    bool truncate = false;
    double least = 0;  // score of what is told
    std::vector<Encoding> encodings;
};

Result<std::shared_ptr<ExtractRequest>> read_request(const Exchange& exchange) {
    auto request = std::make_shared<ExtractRequest>();
    JsonFields fields(exchange.body, "the request body");
    request->model = fields.required_string("model");
    const auto* input = fields.required_value("input");
    request->truncate = fields.optional_bool("truncate", false);
    request->least = fields.optional_number("min_score", 0, 0, 1);
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto list = input->is_string() ? json::value(json::array{*input}) : *input;
    ROOTSTOCK_TRY(texts, read_texts(list, "input", exchange.services.reading->limits()));
    request->texts = std::move(texts);
    return request;
}

Result<ReadRows> tokenize(ExtractRequest& request, const ServedModel& model) {
    const auto most = model.spec().positions_max;
    ReadRows rows;
    for (std::size_t i = 0; i < request.texts.size(); ++i) {
        const auto place = "input " + std::to_string(i);
        auto one = model.base.tokenizer.encode(request.texts[i], {.max_tokens = request.truncate ? most : 0});
        if (!one) return fail(one.error().code, place + ": " + one.error().message, "input");
        if (one->ids.size() > static_cast<std::size_t>(most))
            return fail(ErrorCode::too_long,
                        place + " has " + std::to_string(one->ids.size()) + " tokens; this model takes at most " +
                            std::to_string(most) + ": shorten it or send \"truncate\": true",
                        "input", "context_length_exceeded");
        add_row(*one, model, rows);
        request.encodings.push_back(std::move(*one));
    }
    return rows;
}

// "LABEL_3" where the model's folder names none, as its library does.
std::vector<std::string> labels_of(const ServedModel& model) {
    auto labels = model.base.labels;
    for (auto i = labels.size(); i < static_cast<std::size_t>(model.spec().head.classes); ++i)
        labels.push_back("LABEL_" + std::to_string(i));
    return labels;
}

void append_entity(std::string& out, const Entity& entity, std::string_view text) {
    out += "{\"label\":";
    append_quoted(out, entity.label);
    out += ",\"text\":";
    append_quoted(out, characters(text, entity.span));
    out.append(",\"start\":").append(std::to_string(entity.span.begin));
    out.append(",\"end\":").append(std::to_string(entity.span.end)).append(",\"score\":");
    append_number(out, entity.score);
    out += "}";
}

std::string render(const ExtractRequest& request, const ServedModel& model, const InferAnswer& answer,
                   const Usage& usage) {
    const auto labels = labels_of(model);
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, model.name);
    out += ",\"data\":[";
    for (std::size_t i = 0; i < answer.rows.size(); ++i) {
        out.append(i > 0 ? "," : "").append("{\"object\":\"extraction\",\"index\":").append(std::to_string(i));
        out += ",\"entities\":[";
        bool first = true;
        for (const auto& entity : read_entities(answer.rows[i], labels, request.encodings[i])) {
            if (entity.score < request.least) continue;
            if (!std::exchange(first, false)) out += ",";
            append_entity(out, entity, request.texts[i]);
        }
        out += "]}";
    }
    out += "],\"usage\":";
    append_usage(out, usage);
    return out + "}";
}

Task<Result<http::Response>> extract(Exchange& exchange) {
    auto read = read_request(exchange);
    if (!read) co_return fail(read.error());
    const auto request = *read;
    ReadTask task{.operation = "extract", .purpose = "extracting", .heads = {HeadKind::token}};
    task.tokenize = [request](const ServedModel& model) { return tokenize(*request, model); };
    task.answer = [request](const ServedModel& model, const InferAnswer& answer, const Usage& usage) {
        return render(*request, model, answer, usage);
    };
    co_return co_await read_and_respond(exchange, begin_reading(exchange, request->model), std::move(task));
}

}  // namespace

void add_extract_route(Routes& routes) { routes.add("POST", "/v1/extract", {Access::key, Body::json, extract}); }

}  // namespace rootstock
