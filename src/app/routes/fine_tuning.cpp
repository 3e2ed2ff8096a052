// /v1/fine_tuning/jobs: tuning as a customer orders it, in OpenAI's shapes. A worker does the work (flow/tune.h).

#include "app/routes/answers.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

constexpr std::int64_t jobs_page = 20, page_max = 100;
constexpr std::int64_t seed_max = 2'147'483'647;
constexpr std::int64_t epochs_max = 50, batch_max = 256;
constexpr double multiplier_max = 100;

// ---- orders ----

// A number within its limits, or "auto".
void read_hyperparameter(JsonFields& fields, const char* key, double low, double high, bool whole, json::object& into) {
    const auto* value = fields.optional_value(key);
    into[key] = "auto";
    if (!value || value->is_null() || (value->is_string() && value->get_string() == "auto")) return;
    bool number = whole ? value->is_int64() : value->is_number();
    double found = number ? value->to_number<double>() : 0;
    if (!number || found < low || found > high)
        return fields.fault(
            key, fmt::format("must be \"auto\" or {} from {} to {}", whole ? "a whole number" : "a number", low, high));
    into[key] = *value;
}

Result<json::object> read_hyperparameters(const json::value& value) {
    json::object read;
    JsonFields fields(value, "hyperparameters");
    read_hyperparameter(fields, "n_epochs", 1, epochs_max, true, read);
    read_hyperparameter(fields, "batch_size", 1, batch_max, true, read);
    read_hyperparameter(fields, "learning_rate_multiplier", 1e-6, multiplier_max, false, read);
    ROOTSTOCK_CHECKED(fields.finish());
    return read;
}

std::unexpected<Error> unsupported(const std::string& what, const char* field) {
    return fail(ErrorCode::unsupported, what, field);
}

// {"type": "supervised", "supervised": {"hyperparameters": {...}}}; the other methods are refused by name.
Result<json::value> read_method(const json::value& value) {
    JsonFields fields(value, "method");
    auto type = fields.required_string("type");
    const auto* supervised = fields.optional_value("supervised");
    if (type == "dpo" || type == "reinforcement")
        return unsupported("the method '" + type + "' is not done here; 'supervised' is", "method.type");
    if (type != "supervised") fields.fault("type", "must be \"supervised\"");
    ROOTSTOCK_CHECKED(fields.finish());
    if (!supervised || supervised->is_null()) return json::value(json::object());
    JsonFields inner(*supervised, "method.supervised");
    const auto* hyperparameters = inner.optional_value("hyperparameters");
    ROOTSTOCK_CHECKED(inner.finish());
    return hyperparameters && !hyperparameters->is_null() ? *hyperparameters : json::value(json::object());
}

Result<void> refuse_integrations(const json::value* integrations) {
    if (!integrations || integrations->is_null()) return {};
    if (integrations->is_array() && integrations->get_array().empty()) return {};
    return unsupported("integrations (such as wandb) are not done here; metrics stand in the job's events",
                       "integrations");
}

Result<TuningOrder> read_order(const Exchange& exchange) {
    TuningOrder order;
    JsonFields fields(exchange.body, "the request body");
    order.model = fields.required_string("model");
    order.training = FileId(fields.required_string("training_file"));
    order.validation = FileId(nullable_string(fields, "validation_file"));
    const auto* suffix = fields.optional_value("suffix");
    order.suffix = nullable_string(fields, "suffix");
    if (suffix && suffix->is_string() && order.suffix.empty()) fields.fault("suffix", "must have 1 to 64 characters");
    const auto* seed = fields.optional_value("seed");
    if (seed && !seed->is_null()) order.seed = fields.optional_int("seed", 0, 0, seed_max);
    order.metadata = read_metadata(fields);
    const auto* old = fields.optional_value("hyperparameters");
    const auto* method = fields.optional_value("method");
    const auto* integrations = fields.optional_value("integrations");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_CHECKED(refuse_integrations(integrations));
    json::value wanted = old && !old->is_null() ? *old : json::value(json::object());
    if (method && !method->is_null()) {
        ROOTSTOCK_TRY(newer, read_method(*method));
        if (old && !old->is_null())
            return fail(ErrorCode::invalid_argument,
                        "give hyperparameters in 'method' or in the old field, not in both", "hyperparameters");
        wanted = newer;
    }
    ROOTSTOCK_TRY(hyperparameters, read_hyperparameters(wanted));
    order.hyperparameters = std::move(hyperparameters);
    order.caller = exchange.caller;
    order.request = exchange.id;
    return order;
}

// ---- answers ----

json::value error_of(const catalog::Job& job) {
    if (job.state != catalog::JobState::failed) return nullptr;
    return json::object{
        {"code", name(job.error.code)}, {"message", job.error.message}, {"param", text_or_null(job.error.param)}};
}

// From the learner's newest event, which tells the seconds that are left.
json::value estimated_finish(const catalog::Job& job, Timestamp now) {
    const auto* progress = job.progress.if_object();
    const auto* left = progress ? progress->if_contains("seconds_left") : nullptr;
    if (job.state != catalog::JobState::running || !left || !left->is_number()) return nullptr;
    return unix_time(now) + static_cast<std::int64_t>(left->to_number<double>());
}

json::object to_json(const catalog::TuningRow& row, Timestamp now) {
    const auto& [tuning, job] = row;
    json::array results;
    if (!tuning.result.empty()) results.push_back(json::value(tuning.result.text()));
    json::object method{{"type", "supervised"},
                        {"supervised", json::object{{"hyperparameters", tuning.hyperparameters}}}};
    return {{"object", "fine_tuning.job"},
            {"id", job.id.text()},
            {"model", tuning.model},
            {"created_at", unix_time(job.created)},
            {"finished_at", unix_time_or_null(job.finished)},
            {"fine_tuned_model", text_or_null(tuning.tuned_model)},
            {"organization_id", tuning.tenant.text()},
            {"result_files", std::move(results)},
            {"status", catalog::name(job.state)},
            {"training_file", tuning.training.text()},
            {"validation_file", text_or_null(tuning.validation.text())},
            {"hyperparameters", tuning.hyperparameters},
            {"trained_tokens", tuning.trained_tokens ? json::value(*tuning.trained_tokens) : json::value(nullptr)},
            {"error", error_of(job)},
            {"seed", tuning.seed},
            {"estimated_finish", estimated_finish(job, now)},
            {"integrations", json::array()},
            {"method", std::move(method)},
            {"metadata", tuning.metadata}};
}

json::object to_json(const catalog::JobEvent& event) {
    json::object object{{"object", "fine_tuning.job.event"},
                        {"id", event.id},
                        {"created_at", unix_time(event.created)},
                        {"level", event.level},
                        {"message", event.message},
                        {"type", event.type}};
    object["data"] = event.data.is_object() ? event.data : json::value(json::object());
    return object;
}

Result<catalog::TuningRow> find(const Exchange& exchange) {
    JobId id(std::string(exchange.request.path_value("id")));
    return exchange.services.records->read([&](store::Session& session) -> Result<catalog::TuningRow> {
        ROOTSTOCK_TRY(tuning, catalog::find_tuning(session, exchange.caller.tenant, id));
        ROOTSTOCK_TRY(job, catalog::find_job(session, id));
        return catalog::TuningRow{std::move(tuning), std::move(job)};
    });
}

http::Response answer_with(const catalog::TuningRow& row, const Exchange& exchange) {
    return json_response(to_json(row, exchange.services.clock.now()));
}

// ---- routes ----

Task<Result<http::Response>> create_job(Exchange& exchange) {
    auto order = read_order(exchange);
    if (!order) co_return fail(order.error());
    auto& services = exchange.services;
    auto work = [&services, &order](store::Session& session) {
        return order_tuning(session, services.clock.now(), *order);
    };
    auto row = co_await services.write(std::move(work));

    if (!row) co_return fail(row.error());
    co_return answer_with(*row, exchange);
}

Task<Result<http::Response>> get_job(Exchange& exchange) {
    auto row = find(exchange);
    if (!row) co_return fail(row.error());
    co_return answer_with(*row, exchange);
}

Task<Result<http::Response>> list_jobs(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto query = fields.page(jobs_page, page_max, false);
    auto metadata = fields.map("metadata");
    if (auto fine = fields.finish(); !fine) co_return fail(fine.error());
    auto page =
        exchange.services.records->read([&](store::Session& session) -> Result<catalog::Page<catalog::TuningRow>> {
            return catalog::list_tunings(session, exchange.caller.tenant, query, metadata);
        });
    if (!page) co_return fail(page.error());
    auto now = exchange.services.clock.now();
    auto list = list_of(*page, [now](const catalog::TuningRow& row) { return to_json(row, now); });
    list.erase("first_id");
    list.erase("last_id");
    co_return json_response(list);
}

Task<Result<http::Response>> list_events(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto query = fields.page(jobs_page, page_max, false);
    if (auto fine = fields.finish(); !fine) co_return fail(fine.error());
    auto row = find(exchange);
    if (!row) co_return fail(row.error());
    auto page =
        exchange.services.records->read([&](store::Session& session) -> Result<catalog::Page<catalog::JobEvent>> {
            return catalog::list_events(session, exchange.caller.tenant, row->job.id, query);
        });
    if (!page) co_return fail(page.error());
    auto list = list_of(*page, [](const catalog::JobEvent& event) { return to_json(event); });
    list.erase("first_id");
    list.erase("last_id");
    co_return json_response(list);
}

// The newest metrics of either kind, as a checkpoint tells them.
json::object last_metrics(const std::vector<catalog::JobEvent>& newest_first) {
    json::object metrics;
    for (const auto& event : newest_first) {
        if (!event.data.is_object()) continue;
        for (const auto& [key, value] : event.data.get_object())
            if (key != "total_steps" && !metrics.contains(key)) metrics[key] = value;
    }
    return metrics;
}

// One checkpoint is kept as a model: the best one, which is the job's result.
json::array checkpoints_of(const catalog::TuningRow& row, const std::vector<catalog::JobEvent>& newest_first) {
    if (row.tuning.tuned_model.empty()) return {};
    auto metrics = last_metrics(newest_first);
    const auto& id = row.job.id.text();
    json::object checkpoint{{"object", "fine_tuning.job.checkpoint"},
                            {"id", "ftckpt" + id.substr(id.find('_'))},
                            {"created_at", unix_time(row.job.finished.value_or(row.job.created))},
                            {"fine_tuned_model_checkpoint", row.tuning.tuned_model},
                            {"fine_tuning_job_id", id},
                            {"step_number", metrics.contains("step") ? metrics["step"] : json::value(0)}};
    checkpoint["metrics"] = std::move(metrics);
    return {std::move(checkpoint)};
}

Task<Result<http::Response>> list_checkpoints(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto query = fields.page(10, page_max, false);
    if (auto fine = fields.finish(); !fine) co_return fail(fine.error());
    auto row = find(exchange);
    if (!row) co_return fail(row.error());
    auto events =
        exchange.services.records->read([&](store::Session& session) -> Result<catalog::Page<catalog::JobEvent>> {
            return catalog::list_events(session, exchange.caller.tenant, row->job.id, {page_max, {}, false});
        });
    if (!events) co_return fail(events.error());
    auto data = query.after.empty() ? checkpoints_of(*row, events->items) : json::array();
    json::value first = data.empty() ? json::value(nullptr) : data.front().at("id");
    co_return json_response(json::object{
        {"object", "list"}, {"data", std::move(data)}, {"first_id", first}, {"last_id", first}, {"has_more", false}});
}

// Asks for what `wish` does, and tells the job as it stands then: a running one goes on until its worker hears of it.
template <typename Wish>
Task<Result<http::Response>> change_job(Exchange& exchange, Wish wish) {
    auto& services = exchange.services;
    auto before = find(exchange);
    if (!before) co_return fail(before.error());
    auto work = [&, wish](store::Session& session) {
        return wish(session, exchange.caller.tenant, before->job.id, services.clock.now());
    };
    auto done = co_await services.write(std::move(work));

    if (!done) co_return fail(done.error());
    auto row = find(exchange);
    if (!row) co_return fail(row.error());
    co_return answer_with(*row, exchange);
}

Task<Result<http::Response>> cancel_job(Exchange& exchange) { return change_job(exchange, cancel_tuning); }
Task<Result<http::Response>> pause_job(Exchange& exchange) { return change_job(exchange, catalog::wish_pause); }
Task<Result<http::Response>> resume_job(Exchange& exchange) {
    return change_job(exchange, [](store::Session& session, const TenantId& tenant, const JobId& id, Timestamp) {
        return catalog::wish_resume(session, tenant, id);
    });
}

}  // namespace

void add_fine_tuning_routes(Routes& routes) {
    routes.add("POST", "/v1/fine_tuning/jobs", {Access::key, Body::json, create_job});
    routes.add("GET", "/v1/fine_tuning/jobs", {Access::key, Body::none, list_jobs});
    routes.add("GET", "/v1/fine_tuning/jobs/{id}", {Access::key, Body::none, get_job});
    routes.add("GET", "/v1/fine_tuning/jobs/{id}/events", {Access::key, Body::none, list_events});
    routes.add("GET", "/v1/fine_tuning/jobs/{id}/checkpoints", {Access::key, Body::none, list_checkpoints});
    routes.add("POST", "/v1/fine_tuning/jobs/{id}/cancel", {Access::key, Body::none, cancel_job});
    routes.add("POST", "/v1/fine_tuning/jobs/{id}/pause", {Access::key, Body::none, pause_job});
    routes.add("POST", "/v1/fine_tuning/jobs/{id}/resume", {Access::key, Body::none, resume_job});
}

}  // namespace rootstock
