#include "app/contract/contract.h"

#include <charconv>
#include <set>

#include "app/contract/document.h"

namespace rootstock {
namespace {

constexpr std::string_view methods[] = {"get", "post", "put", "patch", "delete"};

Error to_error(const SchemaFault& fault, std::string_view whole) {
    auto code = fault.reason == "unsupported" ? ErrorCode::unsupported : ErrorCode::invalid_argument;
    auto subject = fault.path.empty() ? std::string(whole) : "'" + fault.path + "'";
    auto rule = fault.reason == "unknown_field" ? "is not a field that this route knows" : fault.rule;
    return {code, subject + " " + rule, fault.path, fault.reason};
}

// The parameter that a field of the query belongs to: "name[]" is one of a list, "name[key]" one of an object.
std::string name_in(const Operation& operation, std::string field) {
    if (field.ends_with("[]")) field.resize(field.size() - 2);
    if (!field.ends_with(']')) return field;
    auto name = field.substr(0, field.find('['));
    for (const auto& parameter : operation.query)
        if (parameter.object && parameter.name == name) return name;
    return field;
}

std::vector<std::string> words(const json::object& described, std::string_view key) {
    std::vector<std::string> all;
    if (const auto* list = described.if_contains(key))
        for (const auto& word : list->as_array()) all.emplace_back(word.as_string());
    return all;
}

Subject subject_of(const json::object& described) {
    const auto* word = described.if_contains("x-subject");
    if (!word) return Subject::nobody;
    if (*word == "tenant") return Subject::tenant;
    if (*word == "tenants") return Subject::tenants;
    if (*word == "house") return Subject::house;
    ROOTSTOCK_CHECK(*word == "self", "x-subject is one of tenant, tenants, house, self");
    return Subject::self;
}

// A query's values are texts: a number's text is checked as the number.
json::value typed(const Schema& schema, const std::string& text) {
    if (schema.types & (Schema::integer | Schema::number)) {
        std::int64_t whole = 0;
        const char* end = text.data() + text.size();
        if (auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end)
            return whole;
        double number = 0;
        if (auto read = std::from_chars(text.data(), end, number); read.ec == std::errc() && read.ptr == end)
            return number;
    }
    if ((schema.types & Schema::boolean) && (text == "true" || text == "false")) return text == "true";
    return json::value(text);
}

}  // namespace

const Contract& Contract::built_in() {
    static const Contract contract(json::parse(openapi_document()));
    return contract;
}

Contract::Contract(json::value document)
    : document_(std::move(document)), schemas_(std::make_unique<SchemaCompiler>(document_)) {
    for (const auto& [pattern, item] : document_.at("paths").as_object())
        for (auto method : methods)
            if (const auto* described = item.as_object().if_contains(method))
                add(std::string(pattern), std::string(method), described->as_object());
}

const json::value& Contract::follow(const json::value& node) const {
    const auto* object = node.if_object();
    const auto* pointer = object ? object->if_contains("$ref") : nullptr;
    if (!pointer) return node;
    return document_.at_pointer(std::string_view(pointer->as_string()).substr(1));
}

void Contract::add(const std::string& pattern, const std::string& method, const json::object& described) {
    Operation operation;
    operation.pattern = pattern;
    for (char c : method) operation.method += static_cast<char>(std::toupper(c));
    if (const auto* body = described.if_contains("requestBody")) {
        const auto& content = follow(*body).at("content").as_object();
        if (const auto* media = content.if_contains("application/json"))
            operation.body = schemas_->compile(media->at("schema"));
    }
    if (const auto* parameters = described.if_contains("parameters"))
        for (const auto& parameter : parameters->as_array()) add_parameter(operation, follow(parameter).as_object());
    operation.roles = words(described, "x-roles");
    operation.scopes = words(described, "x-scopes");
    operation.subject = subject_of(described);
    const auto* security = described.if_contains("security");
    operation.page = described.contains("x-page");
    operation.open = security && security->as_array().empty();
    operations_.push_back(std::move(operation));
}

void Contract::add_parameter(Operation& operation, const json::object& parameter) {
    const auto& name = parameter.at("name").as_string();
    const auto* needed = parameter.if_contains("required");
    const bool required = needed && needed->as_bool();
    if (name == "Idempotency-Key") {
        operation.repeatable = true;
        operation.needs_repeat_key = required;
    }
    if (name == "If-Match") operation.needs_version = required;
    if (parameter.at("in") != "query") return;
    const auto* schema = schemas_->compile(parameter.at("schema"));
    operation.query.push_back({std::string(name), required, (schema->types & Schema::array) != 0,
                               (schema->types & Schema::object) != 0, schema});
}

std::vector<std::string> Contract::scopes() const {
    std::set<std::string> all;
    for (const auto& operation : operations_) all.insert(operation.scopes.begin(), operation.scopes.end());
    return {all.begin(), all.end()};
}

const Operation* Contract::find(std::string_view method, std::string_view pattern) const {
    for (const auto& operation : operations_)
        if (operation.method == method && operation.pattern == pattern) return &operation;
    return nullptr;
}

Result<void> Contract::check_body(const Operation& operation, const json::value& body) const {
    if (!operation.body) return {};
    auto fault = find_fault(*operation.body, body);
    if (!fault) return {};
    return fail(to_error(*fault, "the request body"));
}

Result<void> Contract::check_query(const Operation& operation, std::string_view query) const {
    auto fields = http::parse_query(query);
    if (!fields) return fail(ErrorCode::invalid_argument, fields.error().sentence);
    std::map<std::string, json::array, std::less<>> given;
    for (auto& [name, value] : *fields) given[name_in(operation, std::move(name))].emplace_back(value);
    for (const auto& parameter : operation.query) {
        auto found = given.extract(parameter.name);
        if (found.empty()) {
            if (!parameter.required) continue;
            return fail(ErrorCode::invalid_argument, "the query parameter '" + parameter.name + "' is missing",
                        parameter.name);
        }
        if (parameter.object) continue;  // its keys are the caller's own, its values texts
        auto& texts = found.mapped();
        if (!parameter.repeated && texts.size() > 1)
            return fail(ErrorCode::invalid_argument, "the query parameter '" + parameter.name + "' is given twice",
                        parameter.name);
        json::array values;
        const auto* each = parameter.repeated && parameter.schema->items ? parameter.schema->items : parameter.schema;
        for (const auto& text : texts) values.push_back(typed(*each, std::string(text.as_string())));
        auto fault = parameter.repeated ? find_fault(*parameter.schema, values) : find_fault(*each, values.front());
        if (fault)
            return fail(ErrorCode::invalid_argument, "the query parameter '" + parameter.name + "' " + fault->rule,
                        parameter.name);
    }
    if (given.empty()) return {};
    const auto& name = given.begin()->first;
    return fail(ErrorCode::invalid_argument, "'" + name + "' is not a query parameter that this route knows", name,
                "unknown_field");
}

}  // namespace rootstock
