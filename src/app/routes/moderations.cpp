// POST /v1/moderations: OpenAI's shape, answered by a tuned classifier. Its labels are the categories; those that stand
// for nothing being wrong ("neutral") are none. A category is flagged when its probability reaches its threshold.

#include <algorithm>
#include <map>
#include <set>

#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

// Those that their clients look for; an answer has them all.
constexpr std::string_view known_categories[] = {
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
};

// Their clients may leave the model out and mean this one: a tenant or the house can give a classifier that name.
constexpr const char* default_model = "omni-moderation-latest";

struct Thresholds {
    double all = 0.5;
    std::map<std::string, double, std::less<>> own;  // by category
    std::set<std::string, std::less<>> neutral{"none", "ok", "safe", "neutral", "normal"};

    double of(std::string_view category) const {
        const auto found = own.find(category);
        return found == own.end() ? all : found->second;
    }
};

struct ModerationRequest {
    PredictOrder order;
    Thresholds thresholds;
};

// Parts of one text, as chat has them: one input.
std::optional<std::string> text_of_parts(const json::array& parts, JsonFields& fields) {
    std::string text;
    for (const auto& part : parts) {
        const auto& object = part.as_object();  // as the contract says, of one of the two types
        if (object.at("type") != "text" || !object.contains("text")) {
            fields.fault("input", "may hold texts only; send pictures to /v1/images/classify");
            return std::nullopt;
        }
        if (!text.empty()) text += "\n";
        text += object.at("text").as_string();
    }
    return text;
}

std::vector<PredictInput> read_moderated(JsonFields& fields) {
    const auto* value = fields.optional_value("input");
    const auto* list = value ? value->if_array() : nullptr;
    if (!list || list->empty() || !list->front().is_object()) return read_inputs(fields, false);
    auto text = text_of_parts(*list, fields);
    return {PredictInput(std::move(text).value_or(""))};
}

Thresholds read_thresholds(JsonFields& fields) {
    Thresholds thresholds;
    thresholds.all = fields.optional_number("threshold", thresholds.all, 0, 1);
    if (const auto* own = fields.optional_value("thresholds"))
        for (const auto& [category, least] : own->as_object())
            thresholds.own.emplace(category, least.to_number<double>());
    if (const auto* neutral = fields.optional_value("neutral")) {
        thresholds.neutral.clear();
        for (const auto& label : neutral->as_array()) thresholds.neutral.emplace(label.as_string());
    }
    return thresholds;
}

Result<ModerationRequest> read_request(const Exchange& exchange) {
    ModerationRequest request{begin_order(exchange), {}};
    JsonFields fields(exchange.body, "the request body");
    request.order.operation = "moderate";
    request.order.model = fields.optional_string("model", default_model);
    request.order.inputs = read_moderated(fields);
    request.order.truncate = fields.optional_bool("truncate", false);
    request.thresholds = read_thresholds(fields);
    ROOTSTOCK_CHECKED(fields.finish());
    return request;
}

// Every category of an answer: the known ones, then what else the classifier tells apart.
std::vector<std::string> categories_of(const Classified& answer, const Thresholds& thresholds) {
    std::vector<std::string> categories(std::begin(known_categories), std::end(known_categories));
    for (const auto& label : answer.labels)
        if (!thresholds.neutral.contains(label) && std::ranges::find(categories, label) == categories.end())
            categories.push_back(label);
    return categories;
}

// One result. A category that the classifier does not know was not looked for: no score, no type of input.
json::object result_of(const Classified& answer, std::size_t input, const std::vector<std::string>& categories,
                       const Thresholds& thresholds) {
    json::object flags, scores, types;
    bool flagged = false;
    for (const auto& category : categories) {
        const auto label = std::ranges::find(answer.labels, category);
        const bool known = label != answer.labels.end();
        const double score =
            known ? answer.probabilities[input][static_cast<std::size_t>(label - answer.labels.begin())] : 0;
        const bool flag = known && score >= thresholds.of(category);
        flagged = flagged || flag;
        flags[category] = flag;
        scores[category] = score;
        types[category] = known ? json::array{"text"} : json::array{};
    }
    return {{"flagged", flagged},
            {"categories", std::move(flags)},
            {"category_scores", std::move(scores)},
            {"category_applied_input_types", std::move(types)},
            {"prediction_id", answer.predictions[input].text()}};
}

std::string render(const Classified& answer, const std::string& id, const Thresholds& thresholds) {
    const auto categories = categories_of(answer, thresholds);
    json::array results;
    for (std::size_t i = 0; i < answer.probabilities.size(); ++i)
        results.push_back(result_of(answer, i, categories, thresholds));
    const auto tokens = answer.usage.input_tokens;
    return json::serialize(json::object{{"id", id},
                                        {"model", answer.model},
                                        {"results", std::move(results)},
                                        {"usage", json::object{{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
}

Task<Result<http::Response>> moderate(Exchange& exchange) {
    auto request = read_request(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Classified> body = [id = "modr-" + exchange.id.text(), thresholds = std::move(request->thresholds)](
                                           const Classified& answer) { return render(answer, id, thresholds); };
    auto answered = co_await exchange.services.predict->classify(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "moderate", std::move(*answered));
}

}  // namespace

void add_moderations_route(Routes& routes) {
    routes.add("POST", "/v1/moderations", {Access::key, Body::json, moderate});
}

}  // namespace rootstock
