#include <gtest/gtest.h>

#include "infer/constrain/compile.h"
#include "infer/constrain/test_vocabularies.h"

namespace rootstock {
namespace {

const Tokenizer& tokenizer() {
    static const auto made = test::shared_tokenizer("gpt2").value();
    return made;
}
const SharedVocabulary& vocabulary() {
    static const int ends[] = {50256};
    static const auto made = OutputVocabulary::make(tokenizer(), ends).value();
    return made;
}

CompiledConstraint compiled(std::string_view schema, bool strict = false) {
    return compile_json_schema(json::parse(schema), vocabulary(), {.strict = strict});
}

bool allows(const CompiledConstraint& constraint, std::string_view text) {
    EXPECT_TRUE(constraint) << constraint.error().message;
    if (!constraint) return false;
    const auto state = (*constraint)->begin();
    std::vector<std::int32_t> ids;
    EXPECT_TRUE(tokenizer().encode_ids(text, {}, ids));
    std::vector<std::uint64_t> bits(vocabulary()->id_end() / 64 + 1);
    for (const auto id : ids) {
        state->mask(bits);
        if (!(bits[static_cast<std::size_t>(id) / 64] >> (id % 64) & 1)) return false;
        state->accept(id);
    }
    return state->may_end();
}

TEST(JsonSchema, PropertiesInOrderOptionalOnesSkipped) {
    const auto constraint =
        compiled(R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"},
        "c": {"type": "boolean"}}, "required": ["b"], "additionalProperties": false})");
    EXPECT_TRUE(allows(constraint, R"({"a": 1, "b": "x", "c": true})"));
    EXPECT_TRUE(allows(constraint, R"({"b":"x"})"));
    EXPECT_TRUE(allows(constraint, "{\n  \"b\": \"x\",\n  \"c\": false\n}"));
    EXPECT_FALSE(allows(constraint, R"({"a": 1})"));
    EXPECT_FALSE(allows(constraint, R"({"b": "x", "a": 1})"));
    EXPECT_FALSE(allows(constraint, R"({"b": "x", "d": 1})"));
    EXPECT_FALSE(allows(constraint, R"({"b": "x",})"));
    EXPECT_FALSE(allows(constraint, R"({"b": 5})"));
}

TEST(JsonSchema, StringsHaveEveryEscapeAndNoControlCharacter) {
    const auto constraint = compiled(R"({"type": "string"})");
    for (const auto* good : {R"("")", R"("\"\\\/\b\f\n\r\té\uD83D\uDE00")", R"("日本 😀")"})
        EXPECT_TRUE(allows(constraint, good)) << good;
    for (const auto* bad : {"\"a\nb\"", R"("\x")", R"("\u12g4")", R"("\uD83D")", R"("\uDE00x")", R"("a)", R"(a)"})
        EXPECT_FALSE(allows(constraint, bad)) << bad;
    const auto bounded = compiled(R"({"type": "string", "minLength": 2, "maxLength": 300})");
    EXPECT_TRUE(allows(bounded, R"("😀\uD83D\uDE00")"));
    EXPECT_FALSE(allows(bounded, R"("\uD83D\uDE00")"));
    EXPECT_TRUE(allows(bounded, '"' + std::string(300, 'x') + '"'));
    EXPECT_FALSE(allows(bounded, '"' + std::string(301, 'x') + '"'));
}

TEST(JsonSchema, NumbersWithinBounds) {
    const auto whole = compiled(R"({"type": "integer", "minimum": -12, "exclusiveMaximum": 205})");
    for (const auto* good : {"-12", "-1", "0", "9", "10", "199", "204"}) EXPECT_TRUE(allows(whole, good)) << good;
    for (const auto* bad : {"-13", "205", "1000", "01", "-0", "1.0", "+1", ""}) EXPECT_FALSE(allows(whole, bad)) << bad;
    const auto number = compiled(R"({"type": "number", "minimum": -0.5, "exclusiveMaximum": 12.25})");
    for (const auto* good : {"-0.5", "-0.499", "0", "0.0", "12", "12.2", "12.2499", "7.125"})
        EXPECT_TRUE(allows(number, good)) << good;
    for (const auto* bad : {"-0.51", "12.25", "12.250", "12.3", "13", "-1", "1e1"})
        EXPECT_FALSE(allows(number, bad)) << bad;
    const auto multiple = compiled(R"({"type": "integer", "multipleOf": 7, "minimum": 1})");
    EXPECT_TRUE(allows(multiple, "49"));
    EXPECT_FALSE(allows(multiple, "50"));
    const auto any = compiled(R"({"type": "number"})");
    for (const auto* good : {"0", "-0", "1e5", "-12.5E-10", "123456789012345678"})
        EXPECT_TRUE(allows(any, good)) << good;
    for (const auto* bad : {"1.", ".5", "1e", "1e999", "0123", "NaN", "--1"}) EXPECT_FALSE(allows(any, bad)) << bad;
}

TEST(JsonSchema, ReferencesMayGoInCircles) {
    const auto constraint = compiled(R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties":
        {"next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}, "required": ["next"], "additionalProperties": false}}})");
    EXPECT_TRUE(allows(constraint, R"({"next": {"next": {"next": null}}})"));
    EXPECT_FALSE(allows(constraint, R"({"next": {"next": {}}})"));
    const auto endless = compiled(R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties":
        {"next": {"$ref": "#/$defs/n"}}, "required": ["next"]}}})");
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().reason, "constraint_impossible");
    const auto circle = compiled(R"({"$ref": "#"})");
    ASSERT_FALSE(circle);
    EXPECT_EQ(circle.error().reason, "constraint_invalid");
}

TEST(JsonSchema, OneOfNeedsAProof) {
    const auto proved = compiled(R"({"oneOf": [{"type": "integer"}, {"type": "string"},
        {"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]},
        {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]}]})");
    EXPECT_TRUE(allows(proved, R"({"k": "b"})"));
    const auto open = compiled(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})");
    ASSERT_FALSE(open);
    EXPECT_NE(open.error().message.find("oneOf"), std::string::npos);
}

TEST(JsonSchema, WhatCannotBeCompiledIsNamedWithItsPlace) {
    for (const auto& [schema, keyword, place] :
         {std::tuple{R"({"properties": {"a": {"not": {}}}, "type": "object"})", "not", "#/properties/a"},
          {R"({"type": "array", "uniqueItems": true})", "uniqueItems", "#"},
          {R"({"if": {}})", "if", "#"},
          {R"({"type": "array", "items": {"contains": {}}})", "contains", "#/items"},
          {R"({"type": "string", "format": "iri"})", "format", "#"},
          {R"({"$ref": "other.json"})", "$ref", "#"},
          {R"({"type": "object", "mystery": 1})", "mystery", "#"}}) {
        const auto constraint = compiled(schema);
        ASSERT_FALSE(constraint) << schema;
        EXPECT_EQ(constraint.error().reason, "constraint_unsupported") << constraint.error().message;
        EXPECT_NE(constraint.error().message.find('"' + std::string(keyword) + "\" at " + place + " "),
                  std::string::npos)
            << constraint.error().message;
    }
    for (const auto* schema :
         {R"({"type": "text"})", R"({"enum": []})", R"({"minLength": -1})", R"({"required": "a"})", R"([1])",
          R"({"$ref": "#/nowhere"})", R"({"multipleOf": 0})", R"({"properties": {"a": 1}})"}) {
        const auto constraint = compiled(schema);
        ASSERT_FALSE(constraint) << schema;
        EXPECT_EQ(constraint.error().reason, "constraint_invalid") << constraint.error().message;
    }
    const auto impossible = compiled(R"({"type": "integer", "minimum": 5, "maximum": 3})");
    ASSERT_FALSE(impossible);
    EXPECT_EQ(impossible.error().reason, "constraint_impossible");
}

TEST(JsonSchema, StrictModeAsksForClosedObjects) {
    EXPECT_TRUE(compiled(
        R"({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": false})", true));
    EXPECT_FALSE(compiled(R"({"type": "object", "properties": {"a": {}}, "required": ["a"]})", true));
    EXPECT_FALSE(compiled(R"({"type": "object", "properties": {"a": {}}, "additionalProperties": false})", true));
}

TEST(JsonSchema, OtherNamesAreNeverListedOnes) {
    const auto constraint = compiled(R"({"type": "object", "properties": {"a": {"type": "integer"}},
        "additionalProperties": {"type": "string"}})");
    EXPECT_TRUE(allows(constraint, R"({"a": 1, "b": "x", "ab": "y"})"));
    EXPECT_TRUE(allows(constraint, R"({"b": "x"})"));
    EXPECT_FALSE(allows(constraint, R"({"a": "x"})"));
    EXPECT_FALSE(allows(constraint, R"({"a": 1, "a": "x"})"));
    EXPECT_FALSE(allows(constraint, R"({"\u0061": "x"})"));
}

TEST(JsonSchema, AnyObject) {
    const auto constraint = compile_json_object(vocabulary());
    EXPECT_TRUE(allows(constraint, R"({"a": [1, {"b": null}], "c": {}})"));
    EXPECT_TRUE(allows(constraint, "{}"));
    EXPECT_FALSE(allows(constraint, "[]"));
    EXPECT_FALSE(allows(constraint, R"({"a": 1)"));
}

TEST(JsonSchema, HostileSchemasAreRefusedByTheirWork) {
    std::string deep = "{}", wide = R"({"type": "object", "minProperties": 200, "properties": {)";
    for (int i = 0; i < 14; ++i) deep = R"({"type": "array", "maxItems": 100000, "items": )" + deep + "}";
    for (int i = 0; i < 4000; ++i) wide += (i ? "," : "") + ('"' + std::to_string(i)) + R"(": {"type": "string"})";
    std::string chosen = R"({"allOf": [)";
    for (int i = 0; i < 12; ++i)
        chosen += std::string(i ? "," : "") + R"({"anyOf": [{"minLength": 1}, {"maxLength": 5}, {"pattern": "a"}]})";
    for (const auto& schema : {wide + "}}", chosen + "]}",
                               std::string(R"({"type": "string", "pattern": "(a|b)*a(a|b){24}", "minLength": 9})")}) {
        const auto constraint = compiled(schema);
        ASSERT_FALSE(constraint);
        EXPECT_EQ(constraint.error().reason, "constraint_too_large") << constraint.error().message;
    }
    EXPECT_TRUE(compiled(deep));
}

}  // namespace
}  // namespace rootstock
