#include "app/contract/contract.h"

#include <gtest/gtest.h>

#include "tenant/tenant.h"

namespace rootstock {
namespace {

// A small contract with every keyword that the compiler knows.
const char* document = R"({
 "paths": {"/things": {
   "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
   "get": {"parameters": [
     {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
     {"name": "group_by", "in": "query", "schema": {"type": "array", "items": {"enum": ["model", "key"]}}},
     {"name": "start", "in": "query", "required": true, "schema": {"type": "integer"}},
     {"name": "deep", "in": "query", "schema": {"type": "boolean"}}]}}},
 "components": {"schemas": {"Thing": {
   "type": "object", "required": ["name"], "additionalProperties": false,
   "properties": {
     "name": {"type": "string", "minLength": 1, "maxLength": 4, "pattern": "^[a-z\u00e9]+$"},
     "size": {"type": "number", "minimum": 0, "maximum": 2},
     "count": {"type": ["integer", "null"], "multipleOf": 2},
     "kind": {"enum": ["a", "b", 1]},
     "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
     "notes": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"},
               "propertyNames": {"maxLength": 3}},
     "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
     "stop": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
     "exact": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]},
     "audio": {"x-unsupported": "is not made here: this server writes text"},
     "plain": {"type": "string", "not": {"const": "no"}}}}}}})";

class ContractTest : public testing::Test {
protected:
    Contract contract_{json::parse(document)};

    // "path: rule" of the refusal, or "fine".
    std::string body(const char* text) {
        auto checked = contract_.check_body(*contract_.find("POST", "/things"), json::parse(text));
        return checked ? "fine" : checked.error().param + ": " + checked.error().message;
    }
    std::string query(const char* text) {
        auto checked = contract_.check_query(*contract_.find("GET", "/things"), text);
        return checked ? "fine" : checked.error().message;
    }
};

TEST_F(ContractTest, TakesWhatTheDocumentTakes) {
    EXPECT_EQ(body(R"({"name": "a"})"), "fine");
    EXPECT_EQ(body(R"({"name": "\u00e9\u00e9\u00e9\u00e9", "size": 2, "count": 4.0, "kind": 1.0})"), "fine");
    EXPECT_EQ(body(R"({"name": "a", "count": null, "tags": ["x", "y"], "notes": {"k": "v"}, "stop": ["x"]})"), "fine");
    EXPECT_EQ(body(R"({"name": "a", "parts": [{"name": "b", "parts": [{"name": "c"}]}], "plain": "yes"})"), "fine");
}

TEST_F(ContractTest, NamesTheFieldAndTheRule) {
    EXPECT_EQ(body(R"({})"), "name: 'name' is missing");
    EXPECT_EQ(body(R"([])"), ": the request body must be an object");
    EXPECT_EQ(body(R"({"name": ""})"), "name: 'name' must not be empty");
    EXPECT_EQ(body(R"({"name": "abcde"})"), "name: 'name' must have at most 4 characters");
    EXPECT_EQ(body(R"({"name": "A"})"), "name: 'name' must have the form ^[a-z\u00e9]+$");
    EXPECT_EQ(body(R"({"name": "a", "size": 3})"), "size: 'size' must be at most 2");
    EXPECT_EQ(body(R"({"name": "a", "count": 3})"), "count: 'count' must be a multiple of 2");
    EXPECT_EQ(body(R"({"name": "a", "count": 1.5})"), "count: 'count' must be an integer or null");
    EXPECT_EQ(body(R"({"name": "a", "kind": "c"})"), "kind: 'kind' must be one of \"a\", \"b\", 1");
    EXPECT_EQ(body(R"({"name": "a", "tags": []})"), "tags: 'tags' must not be empty");
    EXPECT_EQ(body(R"({"name": "a", "tags": ["x", 1]})"), "tags[1]: 'tags[1]' must be a string");
    EXPECT_EQ(body(R"({"name": "a", "notes": {"long": "v"}})"),
              "notes.long: 'notes.long' must have at most 3 characters");
    EXPECT_EQ(body(R"({"name": "a", "parts": [{"name": "b"}, {"nam": "c"}]})"),
              "parts[1].nam: 'parts[1].nam' is not a field that this route knows");
    EXPECT_EQ(body(R"({"name": "a", "plain": "no"})"), "plain: 'plain' has a form that is not taken");
}

TEST_F(ContractTest, TellsTheAlternativeThatWasMeant) {
    EXPECT_EQ(body(R"({"name": "a", "stop": 5})"), "stop: 'stop' must be a string or a list");
    EXPECT_EQ(body(R"({"name": "a", "stop": ["x", 5]})"), "stop[1]: 'stop[1]' must be a string");
    EXPECT_EQ(body(R"({"name": "a", "exact": 6})"),
              "exact: 'exact' may have one of the documented forms only, not several at once");
}

TEST_F(ContractTest, RefusesByNameWhatOthersTake) {
    auto checked =
        contract_.check_body(*contract_.find("POST", "/things"), json::parse(R"({"name": "a", "audio": {}})"));
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::unsupported);
    EXPECT_EQ(checked.error().message, "'audio' is not made here: this server writes text");
}

TEST_F(ContractTest, ChecksTheQuery) {
    EXPECT_EQ(query("start=5"), "fine");
    EXPECT_EQ(query("start=5&limit=100&group_by=model&group_by[]=key&deep=true"), "fine");
    EXPECT_EQ(query("limit=5"), "the query parameter 'start' is missing");
    EXPECT_EQ(query("start=5&start=6"), "the query parameter 'start' is given twice");
    EXPECT_EQ(query("start=x"), "the query parameter 'start' must be an integer");
    EXPECT_EQ(query("start=5&limit=0"), "the query parameter 'limit' must be at least 1");
    EXPECT_EQ(query("start=5&group_by=day"), "the query parameter 'group_by' must be one of \"model\", \"key\"");
    EXPECT_EQ(query("start=5&other=1"), "'other' is not a query parameter that this route knows");
    EXPECT_EQ(query("start=%zz"), "the query is malformed: percent-encode it, in UTF-8");
}

TEST(ContractDocument, BuiltInCompilesAndReads) {
    const auto& contract = Contract::built_in();
    ASSERT_TRUE(contract.find("POST", "/v1/classify"));
    EXPECT_TRUE(contract.find("POST", "/v1/classify")->body);
    auto page = docs_page(contract.document());
    for (const auto& [path, item] : contract.document().at("paths").as_object())
        EXPECT_NE(page.find(std::string(path)), std::string::npos) << path;
}

// What the pipeline enforces must be said of every guarded operation.
TEST(BuiltIn, EveryGuardedOperationSaysWhoMayCallIt) {
    for (const auto& operation : Contract::built_in().operations()) {
        const auto what = operation.method + " " + operation.pattern;
        if (operation.open) continue;
        const bool managed = operation.pattern.starts_with("/api/v1/");
        EXPECT_EQ(operation.subject != Subject::nobody, managed) << what;
        EXPECT_EQ(operation.scopes.empty(), operation.subject == Subject::self) << what;
        EXPECT_EQ(operation.roles.empty(), !managed || operation.subject == Subject::self) << what;
        for (const auto& scope : operation.scopes) EXPECT_EQ(scope.contains(':'), managed) << what << " " << scope;
        for (const auto& role : operation.roles) EXPECT_TRUE(tenant::role_of(role)) << what << " " << role;
    }
}

}  // namespace
}  // namespace rootstock
