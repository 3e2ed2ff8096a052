// POST /predict, /embed, /rerank: the shapes and the errors of Hugging Face's Text Embeddings Inference, for clients
// that were written for it. There a server has one model; here ?model=NAME chooses, and where the choice is clear it
// may be left out.

#include "app/routes/reranking.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

// What was used, as their server tells it.
http::Response with_usage(Exchange& exchange, const char* operation, Answered answered) {
    const auto tokens = answered.usage.input_tokens;
    const bool fresh = !answered.replayed;
    auto response = to_response(exchange, operation, std::move(answered));
    if (fresh) response.headers.push_back({"x-compute-tokens", std::to_string(tokens)});
    return response;
}

Result<std::string> model_asked_for(const Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto model = fields.text("model");
    ROOTSTOCK_CHECKED(fields.finish());
    return model;
}

std::unexpected<Error> must_choose(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    if (names.empty())
        return fail(ErrorCode::not_found,
                    "there is no model for this here; tune one, or name one in the query (?model=)", "model",
                    "model_not_found");
    return fail(ErrorCode::invalid_argument, "choose one of your models in the query (?model=NAME): " + list, "model");
}

// The only base model that fits, or the one that was named.
template <typename Fits>
Result<std::string> choose_base(const Exchange& exchange, Fits fits) {
    ROOTSTOCK_TRY(asked, model_asked_for(exchange));
    if (!asked.empty()) return asked;
    std::vector<std::string> names;
    for (const auto& model : exchange.services.models.all())
        if (fits(*model)) names.push_back(model->name);
    if (names.size() == 1) return names.front();
    return must_choose(names);
}

// The caller's only classifier, or the one that was named.
Result<std::string> choose_classifier(const Exchange& exchange) {
    ROOTSTOCK_TRY(asked, model_asked_for(exchange));
    if (!asked.empty()) return asked;
    auto& services = exchange.services;
    auto found = services.records->read([&](store::Session& session) -> Result<std::vector<catalog::Adapter>> {
        return catalog::visible_adapters(session, exchange.caller.tenant);
    });
    if (!found) return fail(found.error());
    std::vector<std::string> names;
    for (const auto& adapter : *found)
        if (adapter.task == "classify" && services.models.of_digest(adapter.base_digest)) names.push_back(adapter.name);
    for (const auto& model : services.models.all())
        if (model->reads_text() && classifies(model->spec())) names.push_back(model->name);
    if (names.size() == 1) return names.front();
    return must_choose(names);
}

// What a key repeats is a request to one model.
void bind_to_model(std::optional<OnceOnly>& once, const std::string& model) {
    if (once) once->route += " " + model;
}

std::unexpected<Error> empty_inputs() {
    return fail(ErrorCode::invalid_argument, "`inputs` cannot be empty", "inputs", "empty_inputs");
}

// ---- /predict ----

struct PredictRequest {
    PredictOrder order;
    bool batch = false, raw = false;
};

// "a", ["a"]: one text; [["a"], ["b"]]: a batch. A pair is refused: the classifiers here were tuned on single texts.
Result<void> read_texts_of(const json::value& inputs, PredictRequest& request) {
    auto add = [&](const json::value& text) { request.order.inputs.emplace_back(std::string(text.as_string())); };
    auto single = [&](const json::array& list) -> Result<void> {
        if (list.size() == 1) return add(list.front()), Result<void>{};
        return fail(ErrorCode::unsupported, "classifiers here read single texts, not pairs", "inputs");
    };
    if (inputs.is_string()) return add(inputs), Result<void>{};
    const auto& list = inputs.as_array();
    if (list.empty()) return empty_inputs();
    if (list.front().is_string()) return single(list);
    request.batch = true;
    for (const auto& item : list) ROOTSTOCK_CHECKED(single(item.as_array()));
    return {};
}

Result<PredictRequest> read_predict(const Exchange& exchange) {
    PredictRequest request{begin_order(exchange)};
    JsonFields fields(exchange.body, "the request body");
    const auto* inputs = fields.required_value("inputs");
    request.order.truncate = fields.optional_bool("truncate", false);
    request.raw = fields.optional_bool("raw_scores", false);
    fields.optional_string("truncation_direction", "Right");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_CHECKED(read_texts_of(*inputs, request));
    ROOTSTOCK_TRY(model, choose_classifier(exchange));
    bind_to_model(request.order.once, model);
    request.order.model = std::move(model);
    return request;
}

// The labels of one text, likeliest first.
void append_prediction(std::string& out, const Classified& answer, std::size_t input, bool raw) {
    const auto& scores = raw ? answer.logits[input] : answer.probabilities[input];
    const auto order = ranking(scores);
    out += '[';
    for (std::size_t place = 0; place < order.size(); ++place) {
        out += place > 0 ? ",{\"score\":" : "{\"score\":";
        append_number(out, scores[order[place]]);
        out += ",\"label\":";
        append_quoted(out, answer.labels[order[place]]);
        out += '}';
    }
    out += ']';
}

std::string render_predictions(const Classified& answer, bool batch, bool raw) {
    std::string out = batch ? "[" : "";
    for (std::size_t i = 0; i < answer.probabilities.size(); ++i) {
        if (i > 0) out += ',';
        append_prediction(out, answer, i, raw);
    }
    return batch ? out + "]" : out;
}

Task<Result<http::Response>> predict(Exchange& exchange) {
    auto request = read_predict(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Classified> body = [batch = request->batch, raw = request->raw](const Classified& answer) {
        return render_predictions(answer, batch, raw);
    };
    auto answered = co_await exchange.services.predict->classify(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return with_usage(exchange, "classify", std::move(*answered));
}

// ---- /embed ----

Result<PredictOrder> read_embed(const Exchange& exchange) {
    auto order = begin_order(exchange);
    JsonFields fields(exchange.body, "the request body");
    const auto* inputs = fields.required_value("inputs");
    order.truncate = fields.optional_bool("truncate", false);
    if (!fields.optional_bool("normalize", true)) fields.fault("normalize", "must be true: vectors here have length 1");
    fields.optional_string("truncation_direction", "Right");
    ROOTSTOCK_CHECKED(fields.finish());
    if (inputs->is_array() && inputs->get_array().empty()) return empty_inputs();
    const auto list = inputs->is_string() ? json::value(json::array{*inputs}) : *inputs;
    for (const auto& text : list.as_array()) order.inputs.emplace_back(std::string(text.as_string()));
    auto fits = [](const ServedModel& model) {
        const auto head = model.spec().head.kind;
        return model.reads_text() && (head == HeadKind::none || head == HeadKind::masked_lm);
    };
    ROOTSTOCK_TRY(model, choose_base(exchange, fits));
    bind_to_model(order.once, model);
    order.model = std::move(model);
    return order;
}

std::string render_vectors(const Embedded& answer) {
    std::string out = "[";
    for (std::size_t i = 0; i < answer.vectors.size(); ++i) {
        out += i > 0 ? ",[" : "[";
        for (std::size_t k = 0; k < answer.vectors[i].size(); ++k) {
            if (k > 0) out += ',';
            append_number(out, answer.vectors[i][k]);
        }
        out += ']';
    }
    return out + "]";
}

Task<Result<http::Response>> embed(Exchange& exchange) {
    auto order = read_embed(exchange);
    if (!order) co_return fail(order.error());
    auto answered = co_await exchange.services.predict->embed(std::move(*order), render_vectors);
    if (!answered) co_return fail(answered.error());
    co_return with_usage(exchange, "embed", std::move(*answered));
}

// ---- /rerank ----

struct RerankRequest {
    Reranking order;
    bool return_text = false;
};

Result<RerankRequest> read_rerank(const Exchange& exchange) {
    RerankRequest request;
    JsonFields fields(exchange.body, "the request body");
    request.order.query = fields.required_string("query");
    const auto* texts = fields.required_value("texts");
    request.order.truncate = fields.optional_bool("truncate", false);
    request.order.raw = fields.optional_bool("raw_scores", false);
    request.return_text = fields.optional_bool("return_text", false);
    fields.optional_string("truncation_direction", "Right");
    ROOTSTOCK_CHECKED(fields.finish());
    if (texts->is_array() && texts->get_array().empty())
        return fail(ErrorCode::invalid_argument, "`texts` cannot be empty", "texts", "empty_inputs");
    ROOTSTOCK_CHECKED(read_documents(request.order, *texts, "texts", exchange.services.reading->limits()));
    auto fits = [](const ServedModel& model) { return ranks(model.spec()); };
    ROOTSTOCK_TRY(model, choose_base(exchange, fits));
    request.order.model = std::move(model);
    return request;
}

std::string render_ranks(const RerankRequest& request, const std::vector<Ranked>& ranked) {
    std::string out = "[";
    for (const auto& [index, score] : ranked) {
        if (out.size() > 1) out += ',';
        out.append("{\"index\":").append(std::to_string(index));
        if (request.return_text) {
            out += ",\"text\":";
            append_quoted(out, request.order.documents[index]);
        }
        out += ",\"score\":";
        append_number(out, score);
        out += '}';
    }
    return out + "]";
}

Task<Result<http::Response>> rerank(Exchange& exchange) {
    auto read = read_rerank(exchange);
    if (!read) co_return fail(read.error());
    const auto request = std::make_shared<const RerankRequest>(std::move(*read));
    const std::shared_ptr<const Reranking> order(request, &request->order);
    auto body = [request](const ServedModel&, const std::vector<Ranked>& ranked, const Usage&) {
        return render_ranks(*request, ranked);
    };
    auto task = rerank_task(order, std::move(body));
    auto reading = begin_reading(exchange, order->model);
    bind_to_model(reading.once, order->model);
    auto answered = co_await exchange.services.reading->run(std::move(reading), std::move(task));
    if (!answered) co_return fail(answered.error());
    co_return with_usage(exchange, "rerank", std::move(*answered));
}

}  // namespace

void add_tei_routes(Routes& routes) {
    routes.add("POST", "/predict", {Access::key, Body::json, predict, Dialect::tei});
    routes.add("POST", "/embed", {Access::key, Body::json, embed, Dialect::tei});
    routes.add("POST", "/rerank", {Access::key, Body::json, rerank, Dialect::tei});
}

}  // namespace rootstock
