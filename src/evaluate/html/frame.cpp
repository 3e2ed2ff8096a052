#include "evaluate/html/frame.h"

#include "evaluate/html/assets.h"
#include "evaluate/html/text.h"

namespace rootstock::html {

std::string opening(std::string_view title, const std::string& sub) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\" data-lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{0}</title>"
        "<style>{1}</style></head><body><main><header><div><h1>{0}</h1><p class=\"sub\">{2}</p></div>"
        "<button id=\"language\" type=\"button\">{3}</button></header>\n",
        escaped(title), style, sub, R"(<span lang="en">中文</span><span lang="zh">English</span>)");
}

std::string closing(const std::string& data) {
    static const std::string no_classes = embedded("names", json::array{}) + embedded("totals", json::array{});
    return "</main><div id=\"tip\"></div>" + (data.empty() ? no_classes : data) +
           fmt::format("<script>{}</script></body></html>\n", script);
}

std::string card(std::string_view style, const std::string& value, const std::string& name) {
    return fmt::format(R"(<div class="card {}"><b>{}</b><span>{}</span></div>)", style, value, name);
}

std::string cards(const std::string& all, int columns) {
    return fmt::format("<div class=\"cards\" style=\"--columns:{}\">{}</div>\n", columns, all);
}

std::string section(const std::string& title, const std::string& content, std::string_view note) {
    auto below = note.empty() ? std::string() : fmt::format(R"(<p class="note">{}</p>)", note);
    return fmt::format("<section><h2>{}</h2>{}{}</section>\n", title, content, below);
}

std::string facts(const std::vector<ReportFact>& list) {
    std::string items;
    for (const auto& fact : list)
        items += fmt::format("<dt>{}</dt><dd>{}</dd>", escaped(fact.name), escaped(fact.value));
    return "<dl>" + items + "</dl>";
}

std::string embedded(const char* id, const json::value& value) {
    std::string text;
    for (char c : json::serialize(value)) text += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return fmt::format(R"(<script type="application/json" id="{}">{}</script>)", id, text);
}

}  // namespace rootstock::html
