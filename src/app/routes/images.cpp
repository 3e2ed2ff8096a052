// POST /v1/images/classify: what is to be seen? By an adapter on a vision model, or such a model's own head. A picture
// comes as a file in a form, or one or several come as base64 in JSON; PNG, JPEG, BMP or WebP.

#include "app/pipeline/steps.h"
#include "app/routes/base64.h"
#include "app/routes/picture_form.h"
#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

constexpr std::int64_t top_k_max = 100'000;

struct PictureRequest {
    PredictOrder order;
    std::size_t top_k = 0;
};

// "iVBOR...", or a data URL: "data:image/png;base64,iVBOR...".
std::optional<std::string> picture_of(std::string_view text) {
    if (text.starts_with("data:")) {
        constexpr std::string_view mark = ";base64,";
        const auto at = text.find(mark);
        if (at == std::string_view::npos) return std::nullopt;
        text.remove_prefix(at + mark.size());
    }
    return read_base64(text);
}

void read_pictures(JsonFields& fields, PredictOrder& order) {
    const auto* value = fields.required_value("image");
    if (!value) return;
    const auto list = value->is_array() ? value->get_array() : json::array{*value};
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto bytes = picture_of(list[i].as_string());
        if (!bytes)
            return fields.fault(value->is_array() ? "image[" + std::to_string(i) + "]" : "image",
                                "must be a picture's file in base64");
        order.inputs.emplace_back(PictureFile{std::move(*bytes)});
    }
}

Result<PictureRequest> read_json(const Exchange& exchange) {
    PictureRequest request{begin_order(exchange)};
    JsonFields fields(exchange.body, "the request body");
    request.order.model = fields.required_string("model");
    read_pictures(fields, request.order);
    request.top_k = static_cast<std::size_t>(fields.optional_int("top_k", top_k_max, 1, top_k_max));
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    return request;
}

Result<PictureRequest> read_form_body(const Exchange& exchange) {
    PictureRequest request{begin_order(exchange)};
    ROOTSTOCK_TRY(form, read_picture_form(exchange.request, "image"));
    TextFields fields(std::move(form.fields));
    request.order.model = fields.required("model");
    const auto top_k = fields.integer("top_k", top_k_max, 1, top_k_max);
    fields.text("user");
    ROOTSTOCK_CHECKED(fields.finish());
    request.top_k = static_cast<std::size_t>(top_k);
    if (request.order.once) {
        const json::object said{{"model", request.order.model}, {"top_k", top_k}, {"image", sha256_hex(form.picture)}};
        request.order.once->fingerprint = ledger::fingerprint(said);
    }
    request.order.inputs.emplace_back(PictureFile{std::move(form.picture)});
    return request;
}

// Megabytes of base64 or of a form: not on the I/O thread.
Task<Result<PictureRequest>> read_request(Exchange& exchange) {
    co_return co_await run_on(exchange.services.pool, [&exchange] {
        return is_form(exchange.request) ? read_form_body(exchange) : read_json(exchange);
    });
}

Task<Result<http::Response>> classify_images(Exchange& exchange) {
    auto request = co_await read_request(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Classified> body = [top_k = request->top_k](const Classified& answer) {
        return render_classified(answer, top_k);
    };
    auto answered = co_await exchange.services.predict->classify(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "classify", std::move(*answered));
}

}  // namespace

void add_images_route(Routes& routes) {
    routes.add("POST", "/v1/images/classify", {Access::key, Body::picture, classify_images});
}

}  // namespace rootstock
