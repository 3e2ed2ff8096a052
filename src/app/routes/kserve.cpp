// KServe's open inference protocol, version 2 (REST): health, metadata, and inference on texts.
//
//   a classifier   text BYTES [n] -> label BYTES [n], score FP32 [n], prediction_id BYTES [n];
//                  asked for by name: probabilities FP32 [n, labels], labels BYTES [labels]
//   a base model   text BYTES [n] -> embedding FP32 [n, width]

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/contract/contract.h"
#include "app/routes/answers.h"
#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

// ---- what there is ----

struct Asked {
    std::string name;
    std::string version = "1";
    bool classifies = false;
    std::int64_t numbers = 0;  // labels, or the width of an embedding
};

Result<Asked> find_model(const Exchange& exchange) {
    auto& services = exchange.services;
    std::string name(exchange.request.path_value("id"));
    ROOTSTOCK_CHECKED(tenant::check_may_ask(exchange.caller.models, name, name));
    auto adapter = services.records->read(
        [&](store::Session& session) { return catalog::resolve(session, exchange.caller.tenant, name); });
    if (adapter && services.models.of_digest(adapter->base_digest))
        return Asked{name, std::to_string(adapter->version), !adapter->labels.empty(),
                     static_cast<std::int64_t>(adapter->labels.size())};
    const auto* base = services.models.called(name);
    if (!base)
        return fail(ErrorCode::not_found, "there is no model '" + name + "' for you here", "model", "model_not_found");
    if (!classifies(base->spec())) return Asked{name, "1", false, base->spec().width};
    return Asked{name, "1", true, base->spec().head.classes};
}

json::object tensor(std::string_view name, std::string_view datatype, json::array shape) {
    return {{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}};
}

json::array outputs_of(const Asked& model) {
    if (!model.classifies) return {tensor("embedding", "FP32", {-1, model.numbers})};
    return {tensor("label", "BYTES", {-1}), tensor("score", "FP32", {-1}), tensor("prediction_id", "BYTES", {-1}),
            tensor("probabilities", "FP32", {-1, model.numbers}), tensor("labels", "BYTES", {model.numbers})};
}

Task<Result<http::Response>> get_server(Exchange&) {
    co_return json_response(json::object{{"name", "rootstock"},
                                         {"version", Contract::built_in().document().at("info").at("version")},
                                         {"extensions", json::array()}});
}

Task<Result<http::Response>> get_live(Exchange&) { co_return json_response(json::object{{"live", true}}); }

Task<Result<void>> probe(store::Database& records) { co_return records.probe(); }

Task<Result<http::Response>> get_ready(Exchange& exchange) {
    auto& services = exchange.services;
    if (services.draining) co_return fail(ErrorCode::unavailable, "the server is stopping", {}, "stopping");
    auto writable = co_await boost::asio::co_spawn(services.pool, probe(*services.records), boost::asio::use_awaitable);
    if (!writable) co_return fail(writable.error());
    co_return json_response(json::object{{"ready", true}});
}

Task<Result<http::Response>> get_model(Exchange& exchange) {
    auto model = find_model(exchange);
    if (!model) co_return fail(model.error());
    co_return json_response(json::object{{"name", model->name},
                                         {"versions", json::array{model->version}},
                                         {"platform", "rootstock"},
                                         {"inputs", json::array{tensor("text", "BYTES", {-1})}},
                                         {"outputs", outputs_of(*model)}});
}

Task<Result<http::Response>> get_model_ready(Exchange& exchange) {
    auto model = find_model(exchange);
    if (!model) co_return fail(model.error());
    co_return json_response(json::object{{"name", model->name}, {"ready", true}});
}

// ---- inference ----

struct Inference {
    PredictOrder order;
    Asked model;
    std::string id;                    // the caller's, told again
    std::vector<std::string> outputs;  // asked for; none: the usual ones
};

// The texts of a tensor [n] or [n, 1]: a flat list, or a list of lists of one.
std::optional<std::vector<PredictInput>> texts_of(const json::array& data) {
    std::vector<PredictInput> texts;
    for (const auto& item : data) {
        const auto* inner = item.if_array();
        if (inner && inner->size() != 1) return std::nullopt;
        const auto& text = inner ? inner->front() : item;
        if (!text.is_string()) return std::nullopt;
        texts.emplace_back(std::string(text.as_string()));
    }
    return texts;
}

void read_input(JsonFields& fields, Inference& inference) {
    const auto* inputs = fields.required_value("inputs");
    if (!inputs) return;
    if (inputs->as_array().size() != 1) return fields.fault("inputs", "must hold one tensor, the texts");
    const auto& tensor = inputs->as_array().front().as_object();
    auto texts = texts_of(tensor.at("data").as_array());
    if (!texts) return fields.fault("inputs[0].data", "must hold one text in each place");
    const auto& shape = tensor.at("shape").as_array();
    const auto count = static_cast<std::int64_t>(texts->size());
    const bool fits = shape[0] == count && (shape.size() == 1 || shape[1] == 1);
    if (!fits)
        return fields.fault("inputs[0].shape", "must be [" + std::to_string(count) + "], as many as there are data");
    inference.order.inputs = std::move(*texts);
}

void read_outputs(JsonFields& fields, Inference& inference) {
    const auto* outputs = fields.optional_value("outputs");
    if (!outputs) return;
    const auto known = outputs_of(inference.model);
    for (const auto& output : outputs->as_array()) {
        const auto& name = output.at("name").as_string();
        if (std::ranges::none_of(known, [&](const json::value& one) { return one.at("name") == name; }))
            return fields.fault("outputs", "asks for '" + std::string(name) + "', which this model does not give");
        inference.outputs.emplace_back(name);
    }
}

Result<Inference> read_inference(const Exchange& exchange) {
    if (exchange.request.header("Inference-Header-Content-Length"))
        return fail(ErrorCode::unsupported, "tensors are taken as JSON only, not as binary data behind it");
    ROOTSTOCK_TRY(model, find_model(exchange));
    Inference inference{begin_order(exchange), std::move(model), {}, {}};
    inference.order.model = inference.model.name;
    if (inference.order.once) inference.order.once->route += " " + inference.model.name;
    JsonFields fields(exchange.body, "the request body");
    inference.id = fields.optional_string("id", "");
    fields.optional_value("parameters");
    read_input(fields, inference);
    read_outputs(fields, inference);
    ROOTSTOCK_CHECKED(fields.finish());
    return inference;
}

// What both kinds of answers begin and end with.
class InferenceBody {
public:
    explicit InferenceBody(const Inference& inference) : outputs_(inference.outputs) {
        text_ = "{\"model_name\":";
        append_quoted(text_, inference.model.name);
        text_ += ",\"model_version\":";
        append_quoted(text_, inference.model.version);
        if (!inference.id.empty()) {
            text_ += ",\"id\":";
            append_quoted(text_, inference.id);
        }
        text_ += ",\"outputs\":[";
    }

    // `each` appends the datum of a place.
    template <typename Each>
    void add(std::string_view name, bool usual, std::string_view datatype, const std::vector<std::size_t>& shape,
             std::size_t count, Each each) {
        const bool asked = std::ranges::find(outputs_, name) != outputs_.end();
        if (!(outputs_.empty() ? usual : asked)) return;
        text_.append(first_ ? "{\"name\":\"" : ",{\"name\":\"").append(name).append("\",\"datatype\":\"");
        text_.append(datatype).append("\",\"shape\":[");
        for (std::size_t i = 0; i < shape.size(); ++i) text_.append(i > 0 ? "," : "").append(std::to_string(shape[i]));
        text_ += "],\"data\":[";
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) text_ += ',';
            each(text_, i);
        }
        text_ += "]}";
        first_ = false;
    }

    std::string finish(const Usage& usage) {
        const auto tokens = std::to_string(usage.input_tokens);
        text_.append("],\"parameters\":{\"prompt_tokens\":").append(tokens);
        text_.append(",\"total_tokens\":").append(tokens).append("}}");
        return std::move(text_);
    }

private:
    std::string text_;
    const std::vector<std::string>& outputs_;
    bool first_ = true;
};

std::string render_classes(const Classified& answer, const Inference& inference) {
    const auto rows = answer.probabilities.size(), labels = answer.labels.size();
    auto best = [&](std::size_t i) {
        const auto& shares = answer.probabilities[i];
        return static_cast<std::size_t>(std::ranges::max_element(shares) - shares.begin());
    };
    InferenceBody body(inference);
    body.add("label", true, "BYTES", {rows}, rows,
             [&](std::string& out, std::size_t i) { append_quoted(out, answer.labels[best(i)]); });
    body.add("score", true, "FP32", {rows}, rows,
             [&](std::string& out, std::size_t i) { append_number(out, answer.probabilities[i][best(i)]); });
    body.add("prediction_id", true, "BYTES", {rows}, rows,
             [&](std::string& out, std::size_t i) { append_quoted(out, answer.predictions[i].text()); });
    body.add("probabilities", false, "FP32", {rows, labels}, rows * labels, [&](std::string& out, std::size_t i) {
        append_number(out, answer.probabilities[i / labels][i % labels]);
    });
    body.add("labels", false, "BYTES", {labels}, labels,
             [&](std::string& out, std::size_t i) { append_quoted(out, answer.labels[i]); });
    return body.finish(answer.usage);
}

std::string render_vectors(const Embedded& answer, const Inference& inference) {
    const auto rows = answer.vectors.size(), width = answer.vectors.front().size();
    InferenceBody body(inference);
    body.add("embedding", true, "FP32", {rows, width}, rows * width,
             [&](std::string& out, std::size_t i) { append_number(out, answer.vectors[i / width][i % width]); });
    return body.finish(answer.usage);
}

Task<Result<Answered>> run(Exchange& exchange, std::shared_ptr<Inference> inference) {
    auto order = std::move(inference->order);
    auto& predict = *exchange.services.predict;
    if (inference->model.classifies) {
        Predict::Render<Classified> body = [inference](const Classified& answer) {
            return render_classes(answer, *inference);
        };
        co_return co_await predict.classify(std::move(order), std::move(body));
    }
    Predict::Render<Embedded> body = [inference](const Embedded& answer) { return render_vectors(answer, *inference); };
    co_return co_await predict.embed(std::move(order), std::move(body));
}

Task<Result<http::Response>> infer(Exchange& exchange) {
    auto read = read_inference(exchange);
    if (!read) co_return fail(read.error());
    const auto inference = std::make_shared<Inference>(std::move(*read));
    const char* operation = inference->model.classifies ? "classify" : "embed";
    auto answered = co_await run(exchange, inference);
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, operation, std::move(*answered));
}

}  // namespace

void add_kserve_routes(Routes& routes) {
    routes.add("GET", "/v2", {Access::open, Body::none, get_server, Dialect::kserve});
    routes.add("GET", "/v2/health/live", {Access::open, Body::none, get_live, Dialect::kserve});
    routes.add("GET", "/v2/health/ready", {Access::open, Body::none, get_ready, Dialect::kserve});
    routes.add("GET", "/v2/models/{id}", {Access::key, Body::none, get_model, Dialect::kserve});
    routes.add("GET", "/v2/models/{id}/ready", {Access::key, Body::none, get_model_ready, Dialect::kserve});
    routes.add("POST", "/v2/models/{id}/infer", {Access::key, Body::json, infer, Dialect::kserve});
}

}  // namespace rootstock
