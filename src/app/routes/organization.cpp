// /v1/organization/usage/* and /v1/organization/costs: what the caller's tenant used and owes, in buckets of time.
// OpenAI's shapes; classifications and fine-tuning are ours in the same style. A tenant sees its own.

#include <algorithm>

#include "app/routes/answers.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t latest = 4'102'444'800;  // 2100: further than anybody asks, and safe in microseconds

struct Width {
    std::string_view name;
    std::int64_t seconds, buckets, buckets_max;
};
constexpr Width widths[] = {{"1m", 60, 60, 1440}, {"1h", 3600, 24, 168}, {"1d", 86400, 7, 31}};

enum class Told { read, written, rows };  // tokens read, those written too, or rows instead

struct Kind {
    const char* path;
    const char* object;
    std::vector<std::string> operations;
    Told told = Told::read;
};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {"completions", "organization.usage.completions.result", {"chat", "complete"}, Told::written},
        {"embeddings", "organization.usage.embeddings.result", {"embed", "similarity"}},
        {"moderations", "organization.usage.moderations.result", {"moderate"}},
        {"classifications", "organization.usage.classifications.result", {"classify", "extract", "answer", "rerank"}},
        {"fine_tuning", "organization.usage.fine_tuning.result", {"fine_tune"}},
        {"scores", "organization.usage.scores.result", {"score"}, Told::rows},
    };
    return all;
}

struct Question {
    ledger::UsageQuery query;
    const Width* width = &widths[2];
    std::int64_t first = 0, end = 0;  // buckets, counted from 1970
    std::int64_t limit = 0;
};

bool grouped(const std::vector<std::string>& groups, std::string_view by) {
    return std::ranges::find(groups, by) != groups.end();
}

void read_width(TextFields& fields, Question& question, bool days_only) {
    auto name = days_only ? fields.choice("bucket_width", "1d", {"1d"})
                          : fields.choice("bucket_width", "1d", {"1m", "1h", "1d"});
    for (const auto& width : widths)
        if (width.name == name) question.width = &width;
}

// "page" is what "next_page" said: the bucket to go on with.
void read_span(TextFields& fields, Question& question, Timestamp now, std::int64_t limit_max) {
    const auto& width = *question.width;
    auto start = fields.integer("start_time", -1, 0, latest);
    if (start < 0) fields.fault("start_time", "is missing: seconds since 1970 UTC");
    auto end = fields.integer("end_time", unix_time(now) + 1, 0, latest);
    question.limit = fields.integer("limit", width.buckets, 1, std::max(limit_max, width.buckets_max));
    question.first = std::max<std::int64_t>(start, 0) / width.seconds;
    question.end = (end + width.seconds - 1) / width.seconds;
    auto page = fields.text("page");
    if (page.empty()) return;
    std::vector<http::Header> token{{"page", page.starts_with("page_") ? page.substr(5) : "x"}};
    TextFields inside(std::move(token));
    auto bucket = inside.integer("page", 0, 0, latest);
    if (!inside.finish()) fields.fault("page", "must be the next_page of the page before");
    question.first = std::max(question.first, bucket);
}

Result<Question> read_question(const Exchange& exchange, const std::vector<std::string>& operations,
                               std::initializer_list<std::string_view> groupings, bool costs) {
    auto fields = TextFields::of_query(exchange.request);
    Question question;
    read_width(fields, question, costs);
    read_span(fields, question, exchange.services.clock.now(), costs ? 180 : 0);
    auto groups = fields.list("group_by");
    for (const auto& group : groups)
        if (std::ranges::find(groupings, group) == groupings.end())
            fields.fault("group_by", "does not know '" + group + "'");
    auto& query = question.query;
    query.tenant = exchange.caller.tenant;
    query.operations = operations;
    query.keys = fields.list("api_key_ids");
    if (!costs) query.models = fields.list("models");
    query.by_key = grouped(groups, "api_key_id");
    query.by_model = grouped(groups, "model") || grouped(groups, "line_item");
    query.by_operation = grouped(groups, "line_item");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto width = question.width->seconds * second;
    const auto last = std::min(question.end, question.first + question.limit);
    query.bucket_micros = width;
    query.start = Timestamp{question.first * width};
    query.end = Timestamp{std::max(last, question.first) * width};
    return question;
}

Result<std::vector<ledger::UsageSum>> sums_of(const Exchange& exchange, const Question& question) {
    return exchange.services.records->read([&](store::Session& session) -> Result<std::vector<ledger::UsageSum>> {
        return ledger::usage_sums(session, question.query);
    });
}

// Every bucket is told, also one without usage. `render` writes a sum as JSON text: exact decimals have no JSON type.
template <typename Render>
http::Response page_of(const Question& question, const std::vector<ledger::UsageSum>& sums, Render render) {
    const auto width = question.width->seconds;
    const auto last = std::min(question.end, question.first + question.limit);
    std::string out = "{\"object\":\"page\",\"data\":[";
    auto sum = sums.begin();
    for (auto bucket = question.first; bucket < last; ++bucket) {
        out += fmt::format("{}{{\"object\":\"bucket\",\"start_time\":{},\"end_time\":{},\"results\":[",
                           bucket > question.first ? "," : "", bucket * width, (bucket + 1) * width);
        for (bool more = false; sum != sums.end() && sum->bucket.micros == bucket * width * second; ++sum, more = true)
            out += (more ? "," : "") + render(*sum);
        out += "]}";
    }
    bool has_more = last < question.end;
    out += fmt::format("],\"has_more\":{},\"next_page\":{}}}", has_more,
                       has_more ? fmt::format("\"page_{}\"", last) : "null");
    http::Response response;
    response.body = std::move(out);
    return response;
}

std::string usage_text(const Kind& kind, const ledger::UsageSum& sum) {
    json::object result{{"object", kind.object},
                        {"input_tokens", sum.input_tokens},
                        {"num_model_requests", sum.requests},
                        {"project_id", nullptr},
                        {"user_id", nullptr},
                        {"api_key_id", text_or_null(sum.key)},
                        {"model", text_or_null(sum.model)}};
    if (kind.told == Told::rows) result["rows"] = sum.rows;
    if (kind.told == Told::written) {
        result["output_tokens"] = sum.output_tokens;
        result["input_cached_tokens"] = sum.cached_tokens;
    }
    return json::serialize(result);
}

Task<Result<http::Response>> usage(Exchange& exchange, const Kind& kind) {
    auto question = read_question(exchange, kind.operations, {"api_key_id", "model"}, false);
    if (!question) co_return fail(question.error());
    auto sums = sums_of(exchange, *question);
    if (!sums) co_return fail(sums.error());
    co_return page_of(*question, *sums, [&](const ledger::UsageSum& sum) { return usage_text(kind, sum); });
}

// What a line's price is of.
std::pair<std::int64_t, std::string_view> quantity_of(const ledger::UsageSum& sum) {
    if (sum.operation == "score") return {sum.rows, "rows"};
    return {sum.input_tokens + sum.output_tokens, "tokens"};
}

// "tickets@1, classify": what was used and how.
json::value line_item(const ledger::UsageSum& sum) {
    if (sum.operation.empty()) return nullptr;
    return json::value(sum.model + ", " + sum.operation);
}

std::string cost_text(const ledger::UsageSum& sum, const std::string& currency) {
    const auto [quantity, unit] = quantity_of(sum);
    return fmt::format(
        "{{\"object\":\"organization.costs.result\",\"amount\":{{\"value\":{},\"currency\":{}}},\"line_item\":{},"
        "\"project_id\":null,\"api_key_id\":{},\"quantity\":{},\"quantity_unit\":{}}}",
        format_exact(sum.amount), json::serialize(json::value(currency)), json::serialize(line_item(sum)),
        json::serialize(text_or_null(sum.key)), sum.operation.empty() ? "null" : std::to_string(quantity),
        sum.operation.empty() ? "null" : fmt::format("\"{}\"", unit));
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return text;
}

Task<Result<http::Response>> costs(Exchange& exchange) {
    auto question = read_question(exchange, {}, {"line_item", "api_key_id"}, true);
    if (!question) co_return fail(question.error());
    auto books = exchange.services.records->read(
        [&](store::Session& session) { return ledger::balance(session, exchange.caller.tenant); });
    if (!books) co_return fail(books.error());
    auto sums = sums_of(exchange, *question);
    if (!sums) co_return fail(sums.error());
    const auto currency = lower(books->currency);
    co_return page_of(*question, *sums, [&](const ledger::UsageSum& sum) { return cost_text(sum, currency); });
}

template <std::size_t place>
Task<Result<http::Response>> usage_of(Exchange& exchange) {
    return usage(exchange, kinds()[place]);
}

}  // namespace

void add_organization_routes(Routes& routes) {
    routes.add("GET", "/v1/organization/usage/completions", {Access::key, Body::none, usage_of<0>});
    routes.add("GET", "/v1/organization/usage/embeddings", {Access::key, Body::none, usage_of<1>});
    routes.add("GET", "/v1/organization/usage/moderations", {Access::key, Body::none, usage_of<2>});
    routes.add("GET", "/v1/organization/usage/classifications", {Access::key, Body::none, usage_of<3>});
    routes.add("GET", "/v1/organization/usage/fine_tuning", {Access::key, Body::none, usage_of<4>});
    routes.add("GET", "/v1/organization/usage/scores", {Access::key, Body::none, usage_of<5>});
    routes.add("GET", "/v1/organization/costs", {Access::key, Body::none, costs});
}

}  // namespace rootstock
