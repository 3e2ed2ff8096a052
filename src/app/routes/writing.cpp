#include "app/routes/writing.h"

#include <array>
#include <bit>
#include <charconv>

#include "app/pipeline/problem.h"

namespace rootstock {
namespace {

double number(const json::object& fields, const char* key, double otherwise) {
    const auto* value = fields.if_contains(key);
    return value ? value->to_number<double>() : otherwise;
}

bool flag(const json::object& fields, const char* key) {
    const auto* value = fields.if_contains(key);
    return value && value->as_bool();
}

std::uint64_t seed_of(const json::object& fields) {
    if (const auto* seed = fields.if_contains("seed"))
        return seed->is_uint64() ? seed->get_uint64() : static_cast<std::uint64_t>(seed->as_int64());
    std::array<std::uint8_t, 8> bytes{};
    fill_secret_bytes(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

std::map<std::int32_t, double> bias_of(const json::object& fields) {
    std::map<std::int32_t, double> bias;
    const auto* value = fields.if_contains("logit_bias");
    if (!value) return bias;
    for (const auto& [key, shift] : value->as_object()) {
        std::int32_t id = 0;
        std::from_chars(key.data(), key.data() + key.size(), id);  // the contract saw to the digits
        bias[id] = shift.to_number<double>();
    }
    return bias;
}

SamplingOptions sampling_of(const json::object& fields) {
    SamplingOptions options;
    options.temperature = number(fields, "temperature", 1);
    options.top_p = number(fields, "top_p", 1);
    options.top_k = static_cast<int>(number(fields, "top_k", 0));
    options.min_p = number(fields, "min_p", 0);
    options.repetition_penalty = number(fields, "repetition_penalty", 1);
    options.presence_penalty = number(fields, "presence_penalty", 0);
    options.frequency_penalty = number(fields, "frequency_penalty", 0);
    options.logit_bias = bias_of(fields);
    options.seed = seed_of(fields);
    return options;
}

std::vector<std::string> words_of(const json::value& value) {
    if (const auto* word = value.if_string()) return {std::string(*word)};
    std::vector<std::string> words;
    for (const auto& word : value.as_array()) words.emplace_back(word.as_string());
    return words;
}

// Our extensions, by the names that other servers of open models use.
void read_guides(const json::object& fields, GenerateOrder& order) {
    auto guide = [&](const char* key, TextShape::Kind kind) -> const json::value* {
        const auto* value = fields.if_contains(key);
        if (!value) return nullptr;
        order.shape.kind = kind;
        order.shape.param = key;
        return value;
    };
    if (const auto* schema = guide("guided_json", TextShape::Kind::json_schema)) order.shape.schema = *schema;
    if (const auto* regex = guide("guided_regex", TextShape::Kind::regex)) order.shape.pattern = regex->as_string();
    if (const auto* choices = guide("guided_choice", TextShape::Kind::choices))
        order.shape.choices = words_of(*choices);
    if (const auto* text = guide("guided_grammar", TextShape::Kind::grammar)) order.shape.pattern = text->as_string();
}

std::string event(const json::value& value) { return http::server_sent_event(json::serialize(value)); }

// One streamed answer under way.
struct Stream {
    std::shared_ptr<Writing> writing;
    std::unique_ptr<Teller> teller;
    AnswerHead head;
    StreamChoice choice;
    std::string operation;
    Services& services;
    bool keeps = false;  // its events are kept for an idempotency key
    std::string kept{}, rest{};

    std::string events(std::vector<json::object> told) {
        std::string bytes;
        for (auto& value : told) {
            if (choice.usage) value["usage"] = nullptr;  // the last one brings it
            bytes += event(std::move(value));
        }
        if (keeps) kept += bytes;
        return bytes;
    }

    std::string piece_events(const std::vector<WrittenPiece>& pieces) {
        std::string bytes;
        for (const auto& piece : pieces) bytes += events(teller->piece(head, piece));
        return bytes;
    }

    // All that comes after the last piece; it leaves when the books have it.
    std::string close(const Written& written) {
        rest = events(teller->closing(head, written));
        if (choice.usage) {
            auto last = teller->usage_event(head);
            last["usage"] = usage_json(written.usage);
            rest += event(std::move(last));
        }
        rest += http::server_sent_event("[DONE]");
        return rest;
    }
};

Task<void> run_stream(std::shared_ptr<Stream> stream, http::BodySink& sink) {
    co_await sink.write(stream->events(stream->teller->opening(stream->head)));
    auto hear = [stream, &sink](std::vector<WrittenPiece> pieces) { return sink.write(stream->piece_events(pieces)); };
    auto render = [stream](const Written& written) {
        auto before = stream->kept;
        return before + stream->close(written);
    };
    auto written = co_await stream->writing->run(hear, render);
    if (!written) {
        spdlog::error("{}: {}", stream->head.id, written.error().message);
        co_await sink.write(http::server_sent_event(problem(written.error()).body));
        co_return;
    }
    stream->services.metrics.count_usage(stream->operation, written->usage);
    co_await sink.write(std::move(stream->rest));  // empty for who left
}

http::Response stream_response() {
    http::Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    return response;
}

http::Response replayed(Answered answered, bool stream) {
    auto response = stream ? stream_response() : http::Response();
    response.status = answered.status;
    response.body = std::move(answered.body);
    response.headers.push_back({"Idempotent-Replayed", "true"});
    return response;
}

AnswerHead head_of(const Exchange& exchange, const Writing& writing, const char* prefix) {
    const auto& id = exchange.id.text();
    return {prefix + id.substr(id.find('_') + 1), writing.model(), "fp_" + writing.base_digest().substr(0, 12),
            writing.created().micros / 1'000'000};
}

}  // namespace

json::object set_fields(const json::value& body) {
    json::object fields = body.as_object();
    for (auto field = fields.begin(); field != fields.end();)
        if (field->value().is_null())
            field = fields.erase(field);
        else
            ++field;
    return fields;
}

GenerateOrder begin_writing_order(const Exchange& exchange, const json::object& fields, const char* operation) {
    GenerateOrder order;
    order.request = exchange.id;
    order.caller = exchange.caller;
    order.operation = operation;
    order.model = fields.at("model").as_string();
    order.choices = static_cast<int>(number(fields, "n", 1));
    order.sampling = sampling_of(fields);
    if (const auto* stop = fields.if_contains("stop")) order.stops = words_of(*stop);
    order.presence = exchange.request.caller;
    order.batch = exchange.batch;
    read_guides(fields, order);
    if (auto key = exchange.request.header("Idempotency-Key"))
        order.once =
            OnceOnly{std::string(*key), exchange.route->method + " " + exchange.route->pattern, exchange.fingerprint};
    return order;
}

StreamChoice stream_choice(const json::object& fields) {
    StreamChoice choice{flag(fields, "stream"), false};
    const auto* options = fields.if_contains("stream_options");
    if (options) choice.usage = flag(set_fields(*options), "include_usage");
    return choice;
}

json::object AnswerHead::begin(std::string_view object) const {
    return {
        {"id", id}, {"object", object}, {"created", created}, {"model", model}, {"system_fingerprint", fingerprint}};
}

Task<Result<http::Response>> answer_writing(Exchange& exchange, GenerateOrder order, StreamChoice choice,
                                            const char* prefix, std::unique_ptr<Teller> teller) {
    const bool keeps = order.once.has_value();
    const std::string operation = order.operation;
    auto begun = co_await exchange.services.generate->begin(std::move(order));
    if (!begun) co_return fail(begun.error());
    if (begun->replay) co_return replayed(std::move(*begun->replay), choice.stream);
    auto head = head_of(exchange, *begun->writing, prefix);
    if (choice.stream) {
        std::shared_ptr<Stream> stream(new Stream{std::move(begun->writing), std::move(teller), std::move(head), choice,
                                                  operation, exchange.services, keeps});
        auto response = stream_response();
        response.stream = [stream](http::BodySink& sink) { return run_stream(stream, sink); };
        co_return response;
    }
    http::Response response;
    auto render = [&](const Written& written) { return response.body = teller->whole(head, written); };
    auto written = co_await begun->writing->run({}, render);
    if (!written) co_return fail(written.error());
    exchange.services.metrics.count_usage(operation, written->usage);
    if (written->partial)
        co_return fail(ErrorCode::cancelled, "the caller left; what was written until then is charged", {},
                       "client_gone");
    co_return response;
}

json::object usage_json(const Usage& usage) {
    return {{"prompt_tokens", usage.input_tokens},
            {"completion_tokens", usage.output_tokens},
            {"total_tokens", usage.input_tokens + usage.output_tokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"audio_tokens", 0}}},
            {"completion_tokens_details",
             {{"reasoning_tokens", 0},
              {"audio_tokens", 0},
              {"accepted_prediction_tokens", 0},
              {"rejected_prediction_tokens", 0}}}};
}

json::value token_text(std::string_view bytes) { return json::value(to_valid_utf8(bytes)); }

json::array token_bytes(std::string_view bytes) {
    json::array numbers;
    for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
    return numbers;
}

}  // namespace rootstock
