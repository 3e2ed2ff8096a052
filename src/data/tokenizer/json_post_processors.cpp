#include "data/tokenizer/json_parts.h"

namespace rootstock {
namespace {

using Kind = TemplateStep::Kind;

// ["[SEP]", 102] of BertProcessing.
Result<TemplateStep> read_named_special(const json::value* value, std::string_view what, std::int32_t type_id) {
    const auto* pair = value ? value->if_array() : nullptr;
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_int64())
        return damaged(what, "post_processor 'sep' and 'cls' must be [token, id]");
    auto id = (*pair)[1].get_int64();
    if (id < 0 || id > token_id_max) return damaged(what, "post_processor gives a token an impossible id");
    return TemplateStep{
        TemplateStep::Kind::special, type_id, {static_cast<std::int32_t>(id)}, {std::string((*pair)[0].get_string())}};
}

// BERT: [CLS] A [SEP] B [SEP]; RoBERTa: <s> A </s> </s> B </s>, all of type 0.
Result<PostProcessor> read_fixed_processing(const json::object& object, std::string_view what, bool roberta) {
    ROOTSTOCK_TRY(cls, read_named_special(object.if_contains("cls"), what, 0));
    ROOTSTOCK_TRY(sep, read_named_special(object.if_contains("sep"), what, 0));
    std::int32_t second_type = roberta ? 0 : 1;
    auto second_sep = sep;
    second_sep.type_id = second_type;
    TemplateStep first{Kind::first_text, 0, {}, {}}, second{Kind::second_text, second_type, {}, {}};
    PostProcessor made{{cls, first, sep}, {cls, first, sep, second, second_sep}, {}};
    if (roberta) made.pair = {cls, first, sep, sep, second, sep};
    return made;
}

Result<TemplateStep> read_template_step(const json::value& value, const json::object& specials, std::string_view what) {
    const auto* object = value.if_object();
    if (!object || object->size() != 1) return damaged(what, "a step of the template is no object with one member");
    JsonFields fields(object->begin()->value(), std::string(what) + ", post_processor");
    auto id = fields.required_string("id");
    auto type_id = static_cast<std::int32_t>(fields.optional_int("type_id", 0, 0, 1 << 16));
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    if (object->begin()->key() == "Sequence")
        return TemplateStep{id == "B" ? Kind::second_text : Kind::first_text, type_id, {}, {}};
    const auto* special = specials.if_contains(id);
    if (!special || !special->is_object())
        return damaged(what, "the template names '" + id + "', which special_tokens does not explain");
    TemplateStep step{Kind::special, type_id, {}, {}};
    JsonFields explained(*special, std::string(what) + ", post_processor");
    explained.ignore_others();
    const auto* ids = explained.required_value("ids");
    step.tokens = explained.optional_strings("tokens");
    if (auto finished = explained.finish(); !finished) return damaged(finished.error());
    for (const auto& one : ids->is_array() ? ids->get_array() : json::array()) {
        if (!one.is_int64() || one.get_int64() < 0 || one.get_int64() > token_id_max)
            return damaged(what, "'" + id + "' of the template has an impossible id");
        step.ids.push_back(static_cast<std::int32_t>(one.get_int64()));
    }
    if (step.ids.empty() || step.ids.size() != step.tokens.size())
        return damaged(what, "'" + id + "' of the template needs as many ids as tokens");
    return step;
}

Result<std::vector<TemplateStep>> read_template(const json::object& object, std::string_view key,
                                                std::string_view what) {
    const auto* list = object.if_contains(key);
    const auto* specials = object.if_contains("special_tokens");
    if (!list || !list->is_array() || !specials || !specials->is_object())
        return damaged(what, "post_processor lacks '" + std::string(key) + "' or 'special_tokens'");
    std::vector<TemplateStep> steps;
    for (const auto& value : list->get_array()) {
        ROOTSTOCK_TRY(step, read_template_step(value, specials->get_object(), what));
        if (key == "single" && step.kind == TemplateStep::Kind::second_text)
            return damaged(what, "the template for a single text names a second one");
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<void> read_trimming(const json::value& value, std::string_view what, PostProcessor& into) {
    JsonFields fields(value, std::string(what) + ", post_processor");
    fields.ignore_others();
    auto trims = fields.optional_bool("trim_offsets", true);
    auto prefix_space = fields.optional_bool("add_prefix_space", true);
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    if (trims) into.trims.push_back(prefix_space);
    return {};
}

// Adds one processor to what is there; `has_template` says whether one has set the special tokens already.
Result<void> add_processor(const json::value& value, std::string_view what, int depth, bool& has_template,
                           PostProcessor& into) {
    auto type = type_of(value);
    if (type == "Sequence") {
        ROOTSTOCK_TRY(members, read_sequence(value, "processors", what, depth));
        for (const auto& member : *members)
            ROOTSTOCK_CHECKED(add_processor(member, what, depth + 1, has_template, into));
        return {};
    }
    if (type == "ByteLevel") return read_trimming(value, what, into);
    bool roberta = type == "RobertaProcessing", bert = type == "BertProcessing";
    if (!roberta && !bert && type != "TemplateProcessing") return unknown_type(what, "post_processor", type);
    if (has_template)
        return fail(ErrorCode::unsupported,
                    std::string(what) + ": two post_processors that add special tokens in one sequence",
                    "post_processor");
    has_template = true;
    if (roberta) ROOTSTOCK_CHECKED(read_trimming(value, what, into));
    PostProcessor made;
    if (roberta || bert) {
        ROOTSTOCK_TRY(fixed, read_fixed_processing(value.get_object(), what, roberta));
        made = std::move(fixed);
    } else {
        ROOTSTOCK_TRY(single, read_template(value.get_object(), "single", what));
        ROOTSTOCK_TRY(pair, read_template(value.get_object(), "pair", what));
        made = {std::move(single), std::move(pair), {}};
    }
    into.single = std::move(made.single);
    into.pair = std::move(made.pair);
    return {};
}

}  // namespace

Result<PostProcessor> read_post_processor(const json::value* value, std::string_view what) {
    PostProcessor made;
    bool has_template = false;
    if (value && !value->is_null()) ROOTSTOCK_CHECKED(add_processor(*value, what, 0, has_template, made));
    return made;
}

}  // namespace rootstock
