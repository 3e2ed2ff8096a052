#include "data/chat/python_text.h"

#include <unicode/uchar.h>

#include <charconv>
#include <cmath>

#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

// str.isprintable: everything but control, format, private, surrogate, unassigned and separators; the space is.
bool is_printable(std::int32_t code_point) {
    if (code_point == ' ') return true;
    auto mask = U_GET_GC_MASK(code_point);
    return !(mask & (U_GC_C_MASK | U_GC_Z_MASK));
}

void append_escaped(std::string& made, std::int32_t code_point) {
    if (code_point < 0x100)
        made += fmt::format("\\x{:02x}", code_point);
    else if (code_point < 0x10000)
        made += fmt::format("\\u{:04x}", code_point);
    else
        made += fmt::format("\\U{:08x}", code_point);
}

std::string python_quoted(std::string_view text) {
    char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string made(1, quote);
    for (std::size_t at = 0; at < text.size();) {
        auto character = decode_utf8(text.substr(at));
        auto c = character.code_point;
        if (c == quote || c == '\\')
            made += '\\', made += static_cast<char>(c);
        else if (c == '\n')
            made += "\\n";
        else if (c == '\r')
            made += "\\r";
        else if (c == '\t')
            made += "\\t";
        else if (is_printable(c))
            made += text.substr(at, character.length);
        else
            append_escaped(made, c);
        at += character.length;
    }
    return made += quote;
}

class Printer {
public:
    explicit Printer(Work& work) : work_(work) {}

    Result<void> print(const Value& value) {
        if (const auto* row = value.row(); row && row->kind < RowKind::range) return print_row(*row);
        if (const auto* dict = value.dict()) return print_dict(*dict);
        if (const auto* text = value.text()) return add(python_quoted(*text));
        if (value.is_undefined()) return add("Undefined");
        ROOTSTOCK_TRY(plain, text_of(work_, value));
        return add(plain);
    }

    std::string take() { return std::move(made_); }

private:
    Result<void> add(std::string_view text) {
        made_ += text;
        ROOTSTOCK_CHECKED(work_.spend(1 + text.size() / 16));
        return made_.size() > work_.limits().output_bytes_max ? work_.handle(made_.size()) : Result<void>{};
    }

    Result<void> print_row(const Row& list) {
        static constexpr const char* opening[] = {"[", "(", "dict_keys([", "dict_values([", "dict_items(["};
        ROOTSTOCK_CHECKED(add(opening[static_cast<std::size_t>(list.kind)]));
        for (std::size_t i = 0; i < list.items.size(); ++i) {
            if (i > 0) ROOTSTOCK_CHECKED(add(", "));
            ROOTSTOCK_CHECKED(print(list.items[i]));
        }
        if (list.is_tuple()) return add(list.items.size() == 1 ? ",)" : ")");
        return add(list.kind == RowKind::list ? "]" : "])");
    }

    Result<void> print_dict(const Dict& dict) {
        ROOTSTOCK_CHECKED(add("{"));
        for (std::size_t i = 0; i < dict.items.size(); ++i) {
            if (i > 0) ROOTSTOCK_CHECKED(add(", "));
            ROOTSTOCK_CHECKED(print(dict.items[i].first));
            ROOTSTOCK_CHECKED(add(": "));
            ROOTSTOCK_CHECKED(print(dict.items[i].second));
        }
        return add("}");
    }

    Work& work_;
    std::string made_;
};

}  // namespace

std::string python_float(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
    char room[64];
    auto end = std::to_chars(room, room + sizeof room, number, std::chars_format::scientific).ptr;
    std::string_view digits(room, static_cast<std::size_t>(end - room));
    auto mark = digits.find('e');
    int exponent = 0;
    auto power = digits.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (exponent < -4 || exponent >= 16) return std::string(digits);
    end = std::to_chars(room, room + sizeof room, number, std::chars_format::fixed).ptr;
    std::string made(room, end);
    return made.find('.') == std::string::npos ? made + ".0" : made;
}

Result<std::string> text_of(Work& work, const Value& value) {
    if (const auto* text = value.text()) return *text;
    if (value.is_undefined()) return std::string();
    if (value.is_none()) return std::string("None");
    if (const auto* truth = value.boolean()) return std::string(*truth ? "True" : "False");
    if (const auto* real = value.real()) return python_float(*real);
    std::int64_t room = 0;
    if (const auto* whole = value.whole(room)) return std::to_string(*whole);
    bool is_data = value.dict() || (value.row() && value.row()->kind < RowKind::range);
    if (!is_data)
        return fail(
            ErrorCode::unsupported,
            fmt::format("a {} cannot be printed; print its members (|list first, for a generator)", value.type_name()),
            {}, "chat_template_fault");
    Printer printer(work);
    ROOTSTOCK_CHECKED(printer.print(value));
    return printer.take();
}

}  // namespace rootstock::chat
