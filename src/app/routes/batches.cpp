// /v1/batches: many requests in a file, answered when there is room. OpenAI's shapes.

#include "app/routes/answers.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

constexpr std::int64_t page = 20, page_max = 100;
constexpr std::int64_t day_micros = 86'400'000'000;

// What a line may ask for: a prediction route that is served here.
bool may_be_batched(const Routes& routes, const std::string& endpoint) {
    static constexpr std::string_view never[] = {"/v1/batches", "/v1/uploads", "/v1/fine_tuning/jobs", "/v1/feedback",
                                                 "/v1/files"};
    for (auto path : never)
        if (endpoint == path) return false;
    for (const auto& route : routes.routes())
        if (route.method == "POST" && route.pattern == endpoint && route.endpoint.body == Body::json &&
            endpoint.find('{') == std::string::npos)
            return true;
    return false;
}

Result<catalog::Batch> read_batch(const Exchange& exchange) {
    catalog::Batch batch;
    JsonFields fields(exchange.body, "the request body");
    batch.input = FileId(fields.required_string("input_file_id"));
    batch.endpoint = fields.required_string("endpoint");
    if (fields.required_string("completion_window") != "24h") fields.fault("completion_window", "must be \"24h\"");
    batch.metadata = read_metadata(fields);
    batch.output_seconds = read_expiry(fields, "output_expires_after");
    if (!batch.endpoint.empty() && !may_be_batched(exchange.routes, batch.endpoint))
        fields.fault("endpoint", "names no route whose requests can be batched here");
    ROOTSTOCK_CHECKED(fields.finish());
    batch.created = exchange.services.clock.now();
    batch.id = mint<BatchTag>(batch.created);
    batch.tenant = exchange.caller.tenant;
    batch.key = exchange.caller.key;
    batch.expires = Timestamp{batch.created.micros + day_micros};
    return batch;
}

json::object to_json(const catalog::Batch& batch) {
    json::object object{{"id", batch.id.text()},
                        {"object", "batch"},
                        {"endpoint", batch.endpoint},
                        {"input_file_id", batch.input.text()},
                        {"completion_window", "24h"},
                        {"status", catalog::name(batch.state)},
                        {"created_at", unix_time(batch.created)},
                        {"expires_at", unix_time(batch.expires)},
                        {"metadata", batch.metadata}};
    object["request_counts"] =
        json::object{{"total", batch.total}, {"completed", batch.completed}, {"failed", batch.failed}};
    object["usage"] = json::object{{"input_tokens", batch.input_tokens},
                                   {"input_tokens_details", json::object{{"cached_tokens", 0}}},
                                   {"output_tokens", batch.output_tokens},
                                   {"output_tokens_details", json::object{{"reasoning_tokens", 0}}},
                                   {"total_tokens", batch.input_tokens + batch.output_tokens}};
    if (!batch.model.empty()) object["model"] = batch.model;
    if (!batch.output.empty()) object["output_file_id"] = batch.output.text();
    if (!batch.errors_file.empty()) object["error_file_id"] = batch.errors_file.text();
    if (!batch.problems.is_null()) object["errors"] = json::object{{"object", "list"}, {"data", batch.problems}};
    const std::pair<const char*, std::optional<Timestamp>> instants[] = {
        {"in_progress_at", batch.in_progress_at}, {"finalizing_at", batch.finalizing_at},
        {"completed_at", batch.completed_at},     {"failed_at", batch.failed_at},
        {"expired_at", batch.expired_at},         {"cancelling_at", batch.cancelling_at},
        {"cancelled_at", batch.cancelled_at}};
    for (const auto& [key, instant] : instants)
        if (instant) object[key] = unix_time(*instant);
    return object;
}

Result<void> check_input(store::Session& session, const catalog::Batch& batch) {
    auto file = catalog::find_file(session, batch.tenant, batch.input, batch.created);
    if (!file) return fail(ErrorCode::not_found, file.error().message, "input_file_id", "file_not_found");
    if (file->purpose == "batch") return {};
    return fail(ErrorCode::invalid_argument,
                "the file " + batch.input.text() + " was uploaded for the purpose '" + file->purpose +
                    "'; upload it again for 'batch'",
                "input_file_id");
}

Task<Result<http::Response>> create_batch(Exchange& exchange) {
    auto batch = read_batch(exchange);
    if (!batch) co_return fail(batch.error());
    auto added = co_await exchange.services.write([&](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(check_input(session, *batch));
        catalog::add_batch(session, *batch);
        return {};
    });
    if (!added) co_return fail(added.error());
    co_return json_response(to_json(*batch));
}

Task<Result<http::Response>> get_batch(Exchange& exchange) {
    BatchId id(std::string(exchange.request.path_value("id")));
    auto batch = exchange.services.records->read(
        [&](store::Session& session) { return catalog::find_batch(session, exchange.caller.tenant, id); });
    if (!batch) co_return fail(batch.error());
    co_return json_response(to_json(*batch));
}

Task<Result<http::Response>> list_batches(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto query = fields.page(page, page_max, false);
    if (auto fine = fields.finish(); !fine) co_return fail(fine.error());
    auto found = exchange.services.records->read([&](store::Session& session) -> Result<catalog::Page<catalog::Batch>> {
        return catalog::list_batches(session, exchange.caller.tenant, query);
    });
    if (!found) co_return fail(found.error());
    co_return json_response(list_of(*found, [](const catalog::Batch& batch) { return to_json(batch); }));
}

Task<Result<http::Response>> cancel_batch(Exchange& exchange) {
    auto& services = exchange.services;
    BatchId id(std::string(exchange.request.path_value("id")));
    auto batch = co_await services.write([&, now = services.clock.now()](store::Session& session) {
        return catalog::cancel_batch(session, exchange.caller.tenant, id, now);
    });
    if (!batch) co_return fail(batch.error());
    co_return json_response(to_json(*batch));
}

}  // namespace

void add_batches_routes(Routes& routes) {
    routes.add("POST", "/v1/batches", {Access::key, Body::json, create_batch});
    routes.add("GET", "/v1/batches", {Access::key, Body::none, list_batches});
    routes.add("GET", "/v1/batches/{id}", {Access::key, Body::none, get_batch});
    routes.add("POST", "/v1/batches/{id}/cancel", {Access::key, Body::none, cancel_batch});
}

}  // namespace rootstock
