// What a constraint costs: constrain_bench TOKENIZER [TEXTS=200] compiles some ordinary schemas, lets random tokens
// write texts under each, and prints one JSON line per schema: compile time, and the time of a step (mask and accept)
// as a writer meets it, masks of new states included. The last lines are a regular expression and any JSON object.

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "infer/constrain/compile.h"

namespace rootstock {
namespace {

struct Case {
    const char* name;
    const char* schema;
};

const Case kCases[] = {
    {"contact",
     R"({"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0, "maximum": 130}, "tags": {"type": "array", "items": {"type": "string"}}},
        "required": ["name", "email", "age", "tags"], "additionalProperties": false})"},
    {"invoice", R"({"type": "object", "properties": {"number": {"type": "string", "pattern": "^[A-Z]{2}-\\d{4,8}$"},
        "date": {"type": "string", "format": "date"}, "currency": {"enum": ["EUR", "USD", "CNY", "GBP", "JPY"]},
        "lines": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "object", "properties": {
            "text": {"type": "string", "maxLength": 80}, "count": {"type": "integer", "minimum": 1},
            "price": {"type": "number", "minimum": 0}}, "required": ["text", "count", "price"], "additionalProperties": false}},
        "paid": {"type": "boolean"}, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["number", "date", "currency", "lines", "paid", "note"], "additionalProperties": false})"},
    {"tree",
     R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": {"type": "string"},
        "left": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        "right": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["value", "left", "right"],
        "additionalProperties": false}}})"},
    {"forty properties", nullptr},
};

std::string forty_properties() {
    std::string properties;
    for (int i = 0; i < 40; ++i)
        properties += (i ? ", " : "") + ("\"property_" + std::to_string(i)) +
                      R"(": {"type": ["string", "null"], "maxLength": )" + std::to_string(20 + i) + "}";
    return R"({"type": "object", "additionalProperties": false, "properties": {)" + properties + "}}";
}

void measure(const char* name, const OutputVocabulary& vocabulary, double compile_ms, const Constraint& constraint,
             int texts) {
    std::vector<std::uint64_t> bits(vocabulary.id_end() / 64 + 1);
    std::vector<double> micros;
    double steering = 0;
    std::vector<std::int32_t> ids;
    SeededRandom random(1);
    for (int i = 0; i < texts; ++i) {
        const auto state = constraint.begin();
        for (int left = 100; left > 0 && !state->finished(); --left) {
            const auto begin = monotonic_seconds();
            state->mask(bits);
            const auto masked = monotonic_seconds();
            ids.clear();
            for (std::size_t id = 0; id < vocabulary.id_end(); ++id)
                if (bits[id / 64] >> (id % 64) & 1) ids.push_back(static_cast<std::int32_t>(id));
            const auto id = ids[random.below(ids.size())];
            const auto chosen = monotonic_seconds();
            state->tokens_to_end();
            state->fits(id, left - 1);
            steering += (monotonic_seconds() - chosen) * 1e6;
            const auto steered = monotonic_seconds();
            state->accept(id);
            micros.push_back((masked - begin + monotonic_seconds() - steered) * 1e6);
        }
    }
    std::ranges::sort(micros);
    double sum = 0;
    for (const auto one : micros) sum += one;
    const auto at = [&](double share) {
        return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
    };
    std::printf(
        "{\"constraint\": \"%s\", \"vocabulary\": %zu, \"compile_ms\": %.2f, \"steps\": %zu, \"mean_us\": %.1f, "
        "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"steering_mean_us\": %.1f}\n",
        name, vocabulary.id_end(), compile_ms, micros.size(), sum / static_cast<double>(micros.size()), at(0.5),
        at(0.99), micros.back(), steering / static_cast<double>(micros.size()));
}

template <typename Compile>
Result<void> measure(const char* name, const SharedVocabulary& vocabulary, int texts, const Compile& compile) {
    const auto begin = monotonic_seconds();
    ROOTSTOCK_TRY(constraint, compile());
    const auto compile_ms = (monotonic_seconds() - begin) * 1e3;
    measure(name, *vocabulary, compile_ms, *constraint, texts);
    return {};
}

Result<void> run(const char* place, int texts) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load_file(place));
    const auto begin = monotonic_seconds();
    ROOTSTOCK_TRY(vocabulary, OutputVocabulary::make(tokenizer, {}));
    std::printf("{\"vocabulary\": %zu, \"made_ms\": %.1f}\n", vocabulary->id_end(),
                (monotonic_seconds() - begin) * 1e3);
    for (const auto& [name, text] : kCases) {
        ROOTSTOCK_TRY(schema, parse_json(text ? text : forty_properties(), name));
        ROOTSTOCK_CHECKED(measure(name, vocabulary, texts, [&] { return compile_json_schema(schema, vocabulary); }));
    }
    ROOTSTOCK_CHECKED(measure("regex", vocabulary, texts, [&] {
        return compile_regex("(?:[A-Z][a-z]+ ){2,5}\\+\\d{1,3}(?: \\d{2,4}){2,4}", vocabulary);
    }));
    return measure("any object", vocabulary, texts, [&] { return compile_json_object(vocabulary); });
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    if (count < 2) return std::fprintf(stderr, "constrain_bench TOKENIZER [TEXTS]\n"), 2;
    const auto done = rootstock::run(words[1], count > 2 ? std::atoi(words[2]) : 200);
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return done ? 0 : 1;
}
