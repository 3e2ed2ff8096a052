#include <cctype>

#include "app/contract/contract.h"
#include "app/pages/html.h"

namespace rootstock {
namespace {

constexpr const char* style = R"(
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--green:#2f7d4f}
body{font:16px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;margin:0;display:grid;grid-template-columns:17rem 1fr}
nav{position:sticky;top:0;height:100vh;overflow:auto;border-right:1px solid var(--line);padding:1.2rem;box-sizing:border-box}
nav a{display:block;text-decoration:none;color:inherit;font-size:.86rem;padding:.15rem 0;overflow-wrap:anywhere}
nav h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;color:var(--green);margin:1.2rem 0 .2rem}
main{padding:1.5rem 2.5rem 5rem;max-width:60rem;min-width:0}
section{border-top:1px solid var(--line);padding-top:.6rem;margin-top:2rem}
h3{font-size:1.05rem;margin:.6rem 0}code,pre{font:.86rem/1.5 ui-monospace,monospace}
pre{background:var(--soft);padding:.8rem;border-radius:6px;overflow:auto}
.method{background:var(--green);color:#fff;border-radius:4px;padding:.1rem .45rem;font-size:.78rem;margin-right:.5rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.4rem 0 1rem}
td,th{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600}td:first-child{white-space:nowrap}.type{color:#888}
.needed{color:#b3261e;font-size:.78rem}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border:0}main{padding:1rem}}
)";

class Page {
public:
    explicit Page(const json::value& document) : document_(document) {}

    std::string write() {
        const auto& info = document_.at("info").as_object();
        out_ = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + escape(text(info, "title")) +
               " API</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>" + style +
               "</style></head><body>";
        navigation();
        out_ += "<main><h1>" + escape(text(info, "title")) + " API</h1><p>" + escape(text(info, "summary")) + "</p>";
        paragraphs(text(info, "description"));
        out_ += "<p><a href=\"/openapi.json\">openapi.json</a></p>";
        each_operation([&](const std::string& method, std::string_view path, const json::object& described) {
            operation(method, path, described);
        });
        out_ += "</main></body></html>";
        return std::move(out_);
    }

private:
    static std::string_view text(const json::object& object, std::string_view key) {
        const auto* value = object.if_contains(key);
        return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
    }

    const json::value& follow(const json::value& node) const {
        const auto* object = node.if_object();
        const auto* pointer = object ? object->if_contains("$ref") : nullptr;
        return pointer ? document_.at_pointer(std::string_view(pointer->as_string()).substr(1)) : node;
    }

    template <typename Call>
    void each_operation(Call call) {
        for (const auto& [path, item] : document_.at("paths").as_object())
            for (const auto& [method, described] : item.as_object()) {
                std::string upper;
                for (char c : method) upper += static_cast<char>(std::toupper(c));
                call(upper, path, described.as_object());
            }
    }

    void navigation() {
        out_ += "<nav><strong>Rootstock</strong>";
        std::string group;
        each_operation([&](const std::string& method, std::string_view path, const json::object& described) {
            std::string tag(described.contains("tags") ? described.at("tags").at(0).as_string() : "other");
            if (tag != group) out_ += "<h2>" + escape(tag) + "</h2>";
            group = tag;
            out_ +=
                "<a href=\"#" + escape(text(described, "operationId")) + "\">" + method + " " + escape(path) + "</a>";
        });
        out_ += "</nav>";
    }

    void paragraphs(std::string_view prose) {
        while (!prose.empty()) {
            auto end = prose.find("\n\n");
            out_ += "<p>" + escape(prose.substr(0, end)) + "</p>";
            prose.remove_prefix(end == prose.npos ? prose.size() : end + 2);
        }
    }

    void operation(const std::string& method, std::string_view path, const json::object& described) {
        out_ += "<section id=\"" + escape(text(described, "operationId")) + "\"><h3><span class=\"method\">" + method +
                "</span><code>" + escape(path) + "</code></h3>";
        paragraphs(text(described, "summary"));
        paragraphs(text(described, "description"));
        parameters(described);
        if (const auto* body = described.if_contains("requestBody"))
            for (const auto& [media, content] : follow(*body).at("content").as_object()) {
                out_ += "<h4>Body: <code>" + escape(media) + "</code></h4>";
                fields(content.at("schema"));
            }
        answers(described);
        out_ += "</section>";
    }

    void parameters(const json::object& described) {
        const auto* list = described.if_contains("parameters");
        if (!list) return;
        out_ += "<table><tr><th>parameter</th><th>where</th><th></th></tr>";
        for (const auto& each : list->as_array()) {
            const auto& parameter = follow(each).as_object();
            out_ += "<tr><td><code>" + escape(text(parameter, "name")) + "</code> <span class=\"type\">" +
                    escape(type_words(parameter.at("schema"))) + "</span></td><td>" + escape(text(parameter, "in")) +
                    "</td><td>" + escape(text(parameter, "description")) + "</td></tr>";
        }
        out_ += "</table>";
    }

    void fields(const json::value& node) {
        const auto& schema = follow(node).as_object();
        const auto* properties = schema.if_contains("properties");
        if (!properties) {
            out_ += "<p class=\"type\">" + escape(type_words(node)) + "</p>";
            return;
        }
        out_ += "<table><tr><th>field</th><th></th></tr>";
        for (const auto& [key, part] : properties->as_object()) {
            const auto& field = follow(part).as_object();
            out_ += "<tr><td><code>" + escape(key) + "</code> <span class=\"type\">" + escape(type_words(part)) +
                    "</span>" + (needs(schema, key) ? " <span class=\"needed\">required</span>" : "") + "</td><td>" +
                    escape(text(field, "description")) + limits(field) + "</td></tr>";
        }
        out_ += "</table>";
    }

    static bool needs(const json::object& schema, std::string_view key) {
        const auto* required = schema.if_contains("required");
        if (!required) return false;
        for (const auto& name : required->as_array())
            if (std::string_view(name.as_string()) == key) return true;
        return false;
    }

    static std::string limits(const json::object& field) {
        std::string said;
        for (const char* key :
             {"enum", "default", "minimum", "maximum", "minItems", "maxItems", "maxLength", "x-unsupported"})
            if (const auto* value = field.if_contains(key))
                said += " <span class=\"type\">" + std::string(key) + " " + escape(json::serialize(*value)) + "</span>";
        return said;
    }

    std::string type_words(const json::value& node) const {
        const auto& schema = follow(node).as_object();
        if (const auto* value = schema.if_contains("const")) return json::serialize(*value);
        if (const auto* type = schema.if_contains("type")) {
            if (type->is_string() && type->get_string() == "array" && schema.contains("items"))
                return "list of " + type_words(schema.at("items"));
            if (type->is_string()) return std::string(type->get_string());
            std::string words;
            for (const auto& word : type->as_array())
                words += (words.empty() ? "" : " or ") + std::string(word.as_string());
            return words;
        }
        for (const char* key : {"oneOf", "anyOf"})
            if (const auto* parts = schema.if_contains(key)) {
                std::string words;
                for (const auto& part : parts->as_array()) words += (words.empty() ? "" : " or ") + type_words(part);
                return words;
            }
        return schema.contains("enum") ? "one of" : "any";
    }

    void answers(const json::object& described) {
        out_ += "<table><tr><th>answer</th><th></th></tr>";
        for (const auto& [status, each] : described.at("responses").as_object())
            out_ += "<tr><td><code>" + escape(status) + "</code></td><td>" +
                    escape(text(follow(each).as_object(), "description")) + "</td></tr>";
        out_ += "</table>";
        const auto* fine = described.at("responses").as_object().if_contains("200");
        if (!fine) return;
        const auto* content = follow(*fine).as_object().if_contains("content");
        if (!content) return;
        if (const auto* media = content->as_object().if_contains("application/json")) fields(media->at("schema"));
    }

    const json::value& document_;
    std::string out_;
};

}  // namespace

std::string docs_page(const json::value& document) { return Page(document).write(); }

}  // namespace rootstock
