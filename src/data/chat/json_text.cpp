#include <algorithm>
#include <cmath>

#include "data/chat/compare.h"
#include "data/chat/python_text.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

class JsonWriter {
public:
    JsonWriter(Work& work, const JsonStyle& style) : work_(work), style_(style) {}

    Result<void> write(const Value& value) {
        if (const auto* list = value.list()) return write_list(*list);
        if (const auto* dict = value.dict()) return write_dict(*dict);
        if (const auto* text = value.text()) return add(quoted(*text));
        ROOTSTOCK_TRY(plain, plain_text(value));
        return add(plain);
    }

    std::string take() { return std::move(made_); }

private:
    Result<std::string> plain_text(const Value& value) {
        if (value.is_none()) return std::string("null");
        if (const auto* truth = value.boolean()) return std::string(*truth ? "true" : "false");
        if (const auto* real = value.real()) {
            if (std::isnan(*real)) return std::string("NaN");
            if (std::isinf(*real)) return std::string(*real < 0 ? "-Infinity" : "Infinity");
            return python_float(*real);
        }
        if (value.is_integer()) return text_of(work_, value);
        if (value.is_undefined()) return fail_undefined(value);
        return fault(fmt::format("a {} has no form in JSON; give tojson data only", value.type_name()));
    }

    std::string quoted(std::string_view text) const {
        std::string made = "\"";
        for (std::size_t at = 0; at < text.size();) {
            auto character = decode_utf8(text.substr(at));
            append(made, character.code_point, text.substr(at, character.length));
            at += character.length;
        }
        return made += '"';
    }

    void append(std::string& made, std::int32_t c, std::string_view bytes) const {
        static constexpr std::string_view named = "\"\\\n\r\t\b\f", letters = "\"\\nrtbf";
        if (auto place = c < 128 ? named.find(static_cast<char>(c)) : std::string_view::npos;
            place != std::string_view::npos)
            made += '\\', made += letters[place];
        else if (c >= 0x10000 && style_.ascii)
            made += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
        else if (c < 32 || (c > 126 && style_.ascii && c != 127))
            made += fmt::format("\\u{:04x}", c);
        else
            made += bytes;
    }

    Result<void> write_list(const Row& list) {
        if (list.items.empty()) return add("[]");
        ROOTSTOCK_CHECKED(open('['));
        for (std::size_t i = 0; i < list.items.size(); ++i) {
            ROOTSTOCK_CHECKED(next(i));
            ROOTSTOCK_CHECKED(write(list.items[i]));
        }
        return close(']');
    }

    Result<void> write_dict(const Dict& dict) {
        if (dict.items.empty()) return add("{}");
        ROOTSTOCK_TRY(items, in_order(dict));
        ROOTSTOCK_CHECKED(open('{'));
        for (std::size_t i = 0; i < items.size(); ++i) {
            ROOTSTOCK_CHECKED(next(i));
            const auto* text = items[i].key.text();
            ROOTSTOCK_TRY(plain, text ? Result<std::string>(*text) : plain_text(items[i].key));
            ROOTSTOCK_CHECKED(add(quoted(plain)));
            ROOTSTOCK_CHECKED(add(style_.key_separator));
            ROOTSTOCK_CHECKED(write(items[i].value));
        }
        return close('}');
    }

    Result<std::vector<Keyed>> in_order(const Dict& dict) {
        std::vector<Keyed> items;
        for (const auto& [key, value] : dict.items) items.push_back({key, value});
        if (style_.sort_keys) ROOTSTOCK_CHECKED(sort_by_key(work_, items, false));
        return items;
    }

    Result<void> open(char bracket) {
        ++level_;
        return add(std::string(1, bracket));
    }

    Result<void> next(std::size_t i) {
        if (i > 0) ROOTSTOCK_CHECKED(add(style_.item_separator));
        return new_line();
    }

    Result<void> close(char bracket) {
        --level_;
        ROOTSTOCK_CHECKED(new_line());
        return add(std::string(1, bracket));
    }

    Result<void> new_line() {
        if (!style_.indent) return {};
        ROOTSTOCK_CHECKED(add("\n"));
        for (int i = 0; i < level_; ++i) ROOTSTOCK_CHECKED(add(*style_.indent));
        return {};
    }

    Result<void> add(std::string_view text) {
        made_ += text;
        ROOTSTOCK_CHECKED(work_.spend(1 + text.size() / 16));
        return made_.size() > work_.limits().output_bytes_max ? work_.handle(made_.size()) : Result<void>{};
    }

    Work& work_;
    const JsonStyle& style_;
    std::string made_;
    int level_ = 0;
};

}  // namespace

Result<std::string> json_of(Work& work, const Value& value, const JsonStyle& style) {
    JsonWriter writer(work, style);
    ROOTSTOCK_CHECKED(writer.write(value));
    return writer.take();
}

}  // namespace rootstock::chat
