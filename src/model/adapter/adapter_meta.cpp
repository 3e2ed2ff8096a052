#include "model/adapter/adapter_meta.h"

#include <algorithm>

namespace rootstock {

namespace {

constexpr std::size_t kSelfTestsMax = 1000;

json::array to_array(const std::vector<float>& numbers) {
    json::array array;
    for (const float number : numbers) array.emplace_back(static_cast<double>(number));
    return array;
}

json::value to_json(const SelfTest& test) {
    json::object object{{"logits", to_array(test.logits)}};
    if (test.picture >= 0)
        object["picture"] = test.picture;
    else
        object["text"] = test.text;
    if (!test.ids.empty()) object["ids"] = json::array(test.ids.begin(), test.ids.end());
    if (test.words.empty()) return object;
    object["words"] = json::array(test.words.begin(), test.words.end());
    object["place"] = test.place;
    return object;
}

// A list of numbers of T; anything else is a fault of the field.
template <typename T>
std::vector<T> numbers(JsonFields& fields, const char* key, const json::value* value) {
    std::vector<T> list;
    if (!value) return list;
    if (!value->is_array()) fields.fault(key, "must be a list of numbers");
    for (const auto& item : value->is_array() ? value->as_array() : json::array{}) {
        boost::system::error_code code;
        const auto number = item.to_number<T>(code);
        if (code || !item.is_number()) fields.fault(key, "must be a list of numbers");
        list.push_back(code ? T{} : number);
    }
    return list;
}

// A language model's test asks for words of the vocabulary behind some of its tokens.
void check_words(JsonFields& fields, const SelfTest& test, const TransformerSpec& spec) {
    auto known = [&](std::int32_t id) { return id >= 0 && id < spec.vocabulary; };
    if (!std::ranges::all_of(test.words, known)) fields.fault("words", "must be token ids of the base model");
    if (!std::ranges::all_of(test.ids, known)) fields.fault("ids", "must be token ids of the base model");
    if (test.place < 1 || static_cast<std::size_t>(test.place) > test.ids.size())
        fields.fault("place", "must lie within the ids");
    if (test.logits.size() != test.words.size()) fields.fault("logits", "must have one number per word");
}

Result<SelfTest> self_test(const json::value& value, const std::string& what, const TransformerSpec& spec,
                           const Adapter& adapter) {
    JsonFields fields(value, what + ", self_tests");
    fields.ignore_others();
    SelfTest test;
    test.picture = fields.optional_int("picture", -1, -1, INT64_MAX);
    if (test.picture >= 0 && spec.inputs != Inputs::patches)
        fields.fault("picture", "is a made-up picture, but the base model reads texts");
    if (test.picture < 0) test.text = fields.required_string("text");
    test.ids = numbers<std::int32_t>(fields, "ids", fields.optional_value("ids"));
    for (const double number : numbers<double>(fields, "logits", fields.required_value("logits")))
        test.logits.push_back(static_cast<float>(number));
    test.words = numbers<std::int32_t>(fields, "words", fields.optional_value("words"));
    test.place = static_cast<std::int32_t>(fields.optional_int("place", 0, 0, spec.positions_max));
    if (!test.words.empty())
        check_words(fields, test, spec);
    else if (static_cast<int>(test.logits.size()) != adapter.head.classes)
        fields.fault("logits", "must have one number per class of the head");
    ROOTSTOCK_CHECKED(fields.finish());
    return test;
}

Result<void> read_self_tests(const json::value* value, const std::string& what, const TransformerSpec& spec,
                             Adapter& adapter) {
    if (!value) return {};
    const auto* list = value->if_array();
    if (!list || list->size() > kSelfTestsMax)
        return fail(ErrorCode::invalid_argument,
                    what + ": 'self_tests' must be a list of at most " + std::to_string(kSelfTestsMax), "self_tests");
    for (const auto& item : *list) {
        ROOTSTOCK_TRY(test, self_test(item, what, spec, adapter));
        adapter.self_tests.push_back(std::move(test));
    }
    return {};
}

void keep_extra(const json::object& object, Adapter& adapter) {
    constexpr std::string_view kOurs[] = {"format",     "task",       "labels", "base_digest",
                                          "max_tokens", "self_tests", "lineage"};
    for (const auto& field : object)
        if (std::ranges::find(kOurs, std::string_view(field.key())) == std::end(kOurs)) adapter.extra.insert(field);
}

}  // namespace

json::object adapter_meta_to_json(const Adapter& adapter) {
    json::object meta = adapter.extra;
    meta["format"] = 1;
    meta["task"] = adapter.task;
    meta["labels"] = json::array(adapter.labels.begin(), adapter.labels.end());
    meta["base_digest"] = adapter.base_digest;
    meta["max_tokens"] = adapter.max_tokens;
    json::array tests;
    for (const auto& test : adapter.self_tests) tests.push_back(to_json(test));
    meta["self_tests"] = std::move(tests);
    meta["lineage"] = adapter.lineage;
    return meta;
}

Result<void> read_adapter_meta(const json::value& value, const std::string& what, const TransformerSpec& spec,
                               Adapter& adapter) {
    JsonFields fields(value, what);
    fields.ignore_others();
    fields.required_int("format", 1, 1);
    adapter.task = fields.required_string("task");
    adapter.labels = fields.optional_strings("labels");
    if (static_cast<int>(adapter.labels.size()) != adapter.head.classes)
        fields.fault("labels", "must name each of the head's " + std::to_string(adapter.head.classes) + " classes");
    adapter.base_digest = fields.optional_string("base_digest", "");
    adapter.max_tokens = static_cast<int>(fields.optional_int("max_tokens", 0, 0, spec.positions_max));
    const auto* tests = fields.optional_value("self_tests");
    const auto* lineage = fields.optional_value("lineage");
    if (lineage && !lineage->is_object()) fields.fault("lineage", "must be an object");
    ROOTSTOCK_CHECKED(fields.finish());
    if (lineage) adapter.lineage = lineage->as_object();
    keep_extra(value.as_object(), adapter);
    return read_self_tests(tests, what, spec, adapter);
}

std::vector<float> made_up_picture(const TransformerSpec& spec, std::int64_t number) {
    SeededRandom random(static_cast<std::uint64_t>(number));
    const auto side = static_cast<std::size_t>(spec.patches.image);
    std::vector<float> pixels(static_cast<std::size_t>(spec.patches.channels) * side * side);
    for (auto& pixel : pixels) pixel = static_cast<float>(random.normal());
    return pixels;
}

void default_adapter_meta(Adapter& adapter) {
    for (int i = 0; i < adapter.head.classes; ++i) adapter.labels.push_back("LABEL_" + std::to_string(i));
}

std::string adapter_card(const Adapter& adapter) {
    std::string card = "---\nlibrary_name: peft\n";
    if (!adapter.base_name.empty()) card += "base_model: " + json::serialize(json::value(adapter.base_name)) + "\n";
    card += "---\n\n# LoRA adapter (" + adapter.task + ")\n\n";
    card += "A low-rank update of rank " + std::to_string(adapter.settings.rank) + " over " +
            std::to_string(adapter.pairs.size()) + " linear maps of its base model";
    if (adapter.head.classes > 0) card += ", with a head of " + std::to_string(adapter.head.classes) + " classes";
    card += ".\nThe peft library loads it; `rootstock.json` holds labels, lineage and self-tests.\n";
    if (adapter.labels.empty()) return card;
    card += "\n## Labels\n\n";
    for (const auto& label : adapter.labels) card += "- " + json::serialize(json::value(label)) + "\n";
    return card;
}

}  // namespace rootstock
