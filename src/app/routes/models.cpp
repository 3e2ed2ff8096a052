// /v1/models: what this caller can name, and what of it he may remove. Foreign adapters do not exist for him.

#include <map>

#include "app/routes/answers.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

json::object entry(std::string_view id, std::string_view owner, Timestamp created) {
    return {{"id", id}, {"object", "model"}, {"created", created.micros / 1'000'000}, {"owned_by", owner}};
}

json::object to_json(const catalog::Adapter& adapter, const Exchange& exchange, std::string_view id) {
    auto model = entry(id, adapter.owner.empty() ? "rootstock" : exchange.caller.tenant_name, adapter.created);
    const bool table = adapter.task == "table";
    model["task"] = table ? "score" : adapter.task;
    model["version"] = adapter.version;
    model["labels"] = json::array(adapter.labels.begin(), adapter.labels.end());
    if (!table) model["base"] = exchange.services.models.of_digest(adapter.base_digest)->name;
    return model;
}

// What it is asked for as it is: its own writing, what its own head says, or the vectors it makes.
std::string_view task_of(const ServedModel& served) {
    if (served.writer) return served.chat ? "chat" : "complete";
    if (!served.reads_text()) return "classify-images";
    switch (served.spec().head.kind) {
        case HeadKind::token:
            return "extract";
        case HeadKind::span:
            return "answer-span";
        case HeadKind::sequence:
            return classifies(served.spec()) ? "classify" : "rerank";
        default:
            return "embed";
    }
}

json::object base_to_json(const ServedModel& served) {
    auto model = entry(served.name, "rootstock", served.added);
    model["task"] = task_of(served);
    model["dimensions"] = served.spec().width;
    return model;
}

// Adapters grafted on another base cannot be called here, so they are not offered here. Table models have no base.
bool is_served(const catalog::Adapter& adapter, const Services& services) {
    return adapter.task == "table" || services.models.of_digest(adapter.base_digest) != nullptr;
}

Task<Result<http::Response>> list_models(Exchange& exchange) {
    auto& services = exchange.services;
    std::map<AdapterId, std::string> tuned;  // adapters that bear the name of a tuning
    auto found = services.records->read([&](store::Session& session) -> Result<std::vector<catalog::Adapter>> {
        for (auto& model : catalog::list_tuned_models(session, exchange.caller.tenant))
            tuned.emplace(std::move(model.adapter), std::move(model.name));
        return catalog::visible_adapters(session, exchange.caller.tenant);
    });
    if (!found) co_return fail(found.error());
    json::array data;
    const auto& allowed = exchange.caller.models;
    for (const auto& model : services.models.all())
        if (tenant::may_ask(allowed, model->name)) data.push_back(base_to_json(*model));
    for (const auto& adapter : *found) {
        const auto name = tuned.contains(adapter.id) ? tuned[adapter.id] : adapter.name;
        if (is_served(adapter, services) &&
            (tenant::may_ask(allowed, name) || tenant::may_ask(allowed, adapter.reference())))
            data.push_back(to_json(adapter, exchange, name));
    }
    co_return json_response(json::object{{"object", "list"}, {"data", std::move(data)}});
}

Task<Result<http::Response>> get_model(Exchange& exchange) {
    auto& services = exchange.services;
    std::string id(exchange.request.path_value("id"));
    if (const auto* base = services.models.called(id)) {
        if (auto may = tenant::check_may_ask(exchange.caller.models, id, base->name); !may) co_return fail(may.error());
        co_return json_response(base_to_json(*base));
    }
    auto found = services.records->read(
        [&](store::Session& session) { return catalog::resolve(session, exchange.caller.tenant, id); });
    if (!found) co_return fail(found.error());
    if (auto may = tenant::check_may_ask(exchange.caller.models, id, found->reference()); !may)
        co_return fail(may.error());
    if (!is_served(*found, services))
        co_return fail(ErrorCode::not_found, "the model '" + id + "' is not served here", "model", "model_not_found");
    co_return json_response(to_json(*found, exchange, id));
}

// Models that a tuning made, by the name it gave; the house's models and named adapters are the operator's to remove.
Task<Result<http::Response>> delete_model(Exchange& exchange) {
    auto& services = exchange.services;
    std::string id(exchange.request.path_value("id"));
    auto removed = co_await services.write([&, now = services.clock.now()](store::Session& session) -> Result<void> {
        const auto& owner = exchange.caller.tenant;
        ROOTSTOCK_CHECKED(tenant::check_may_ask(exchange.caller.models, id, id));
        if (id.starts_with("ft:")) return catalog::remove_tuned_model(session, owner, id, now);
        if (!services.models.called(id)) ROOTSTOCK_CHECKED(catalog::resolve(session, owner, id));
        return fail(ErrorCode::permission_denied,
                    "only models of your own fine-tuning jobs (ft:...) can be deleted; '" + id + "' is none", "model");
    });
    if (!removed) co_return fail(removed.error());
    co_return json_response(json::object{{"id", id}, {"object", "model"}, {"deleted", true}});
}

}  // namespace

void add_models_routes(Routes& routes) {
    routes.add("GET", "/v1/models", {Access::key, Body::none, list_models});
    routes.add("GET", "/v1/models/{id}", {Access::key, Body::none, get_model});
    routes.add("DELETE", "/v1/models/{id}", {Access::key, Body::none, delete_model});
}

}  // namespace rootstock
