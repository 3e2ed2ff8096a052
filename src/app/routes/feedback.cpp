// POST /v1/feedback: a rating or a correction, tied to a prediction of the caller's own. Appended, never overwritten.

#include "app/routes/answers.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::size_t text_bytes_max = 8 * 1024;

Result<catalog::Feedback> read_feedback(const Exchange& exchange) {
    catalog::Feedback feedback;
    JsonFields fields(exchange.body, "the request body");
    feedback.prediction = PredictionId(fields.required_string("prediction_id"));
    auto rating = nullable_string(fields, "rating");
    feedback.correction = nullable_string(fields, "correction");
    feedback.comment = nullable_string(fields, "comment");
    if (!rating.empty() && rating != "good" && rating != "bad") fields.fault("rating", "must be \"good\" or \"bad\"");
    if (!rating.empty()) feedback.good = rating == "good";
    if (rating.empty() && feedback.correction.empty() && feedback.comment.empty())
        fields.fault("rating", "is missing, and so are 'correction' and 'comment': say at least one");
    for (auto [name, text] : {std::pair{"correction", &feedback.correction}, std::pair{"comment", &feedback.comment}})
        if (text->size() > text_bytes_max) fields.fault(name, "is longer than 8192 bytes");
    ROOTSTOCK_CHECKED(fields.finish());
    feedback.created = exchange.services.clock.now();
    feedback.id = mint<FeedbackTag>(feedback.created);
    feedback.tenant = exchange.caller.tenant;
    return feedback;
}

json::object to_json(const catalog::Feedback& feedback) {
    return {{"object", "feedback"},
            {"id", feedback.id.text()},
            {"prediction_id", feedback.prediction.text()},
            {"rating", feedback.good ? json::value(*feedback.good ? "good" : "bad") : json::value(nullptr)},
            {"correction", text_or_null(feedback.correction)},
            {"comment", text_or_null(feedback.comment)},
            {"created_at", unix_time(feedback.created)}};
}

Task<Result<http::Response>> add_feedback(Exchange& exchange) {
    auto feedback = read_feedback(exchange);
    if (!feedback) co_return fail(feedback.error());
    auto added = co_await exchange.services.write(
        [&](store::Session& session) { return catalog::add_feedback(session, *feedback); });
    if (!added) co_return fail(added.error());
    co_return json_response(to_json(*feedback));
}

}  // namespace

void add_feedback_route(Routes& routes) { routes.add("POST", "/v1/feedback", {Access::key, Body::json, add_feedback}); }

}  // namespace rootstock
