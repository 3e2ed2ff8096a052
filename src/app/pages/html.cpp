#include "app/pages/html.h"

namespace rootstock {
namespace {

constexpr const char* style = R"(
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--green:#2f7d4f;--on-green:#fff}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;margin:0;overflow-wrap:anywhere}
header,main,footer{max-width:72rem;margin:0 auto;padding:1rem 1.25rem}
header{display:flex;gap:1.25rem;align-items:baseline;flex-wrap:wrap}
header strong{font-size:1.05rem;margin-right:auto}
a{color:var(--green)}header a,footer a{color:inherit}
h1{font-size:clamp(1.7rem,5vw,2.5rem);line-height:1.15;margin:1.5rem 0 .5rem;letter-spacing:-.01em}
.lead{font-size:1.1rem;max-width:44rem;margin:0 0 2rem;opacity:.8}
.plans{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));align-items:stretch}
.plan{border:1px solid var(--line);border-radius:12px;padding:1.4rem;display:flex;flex-direction:column}
.plan h2{margin:0;font-size:1.15rem}.plan p{margin:.4rem 0}
.fee{font-size:2rem;font-weight:650;letter-spacing:-.02em;margin:.6rem 0 0!important}
.fee small{font-size:.95rem;font-weight:400;letter-spacing:0;opacity:.75}
.trial{color:var(--green);font-weight:600}
.plan h3{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;margin:1.2rem 0 .2rem;opacity:.7}
.plan ul{margin:0;padding:0;list-style:none}.plan li{border-top:1px solid var(--line);padding:.35rem 0;font-size:.92rem}
.plan li:first-child{border-top:0}.plan li span{opacity:.75}
.go{margin-top:auto!important;padding-top:1.2rem}
.button,button{display:inline-block;background:var(--green);color:var(--on-green);border:0;border-radius:8px;padding:.6rem 1.1rem;
font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid #5aa97a;outline-offset:2px}
form{max-width:26rem}label{display:block;margin:.9rem 0 .25rem;font-weight:600}
input,select{font:inherit;width:100%;padding:.55rem .7rem;border:1px solid var(--line);border-radius:8px;background:var(--soft);color:inherit}
form button{margin-top:1.4rem}.hint{font-size:.88rem;opacity:.75;margin:.3rem 0}
.said{border-left:4px solid var(--green);background:var(--soft);padding:.7rem 1rem;border-radius:0 8px 8px 0;max-width:44rem}
.wrong{border-color:#b3261e}
footer{border-top:1px solid var(--line);margin-top:3rem;font-size:.88rem;display:flex;gap:1.25rem;flex-wrap:wrap}
)";

constexpr std::size_t tag_digits = 32;  // of SHA-256, in hex

std::string meta(std::string_view kind, std::string_view name, std::string_view content) {
    return "<meta " + std::string(kind) + "=\"" + std::string(name) + "\" content=\"" + escape(content) + "\">\n";
}

std::string link(std::string_view rel, std::string_view more, std::string_view href) {
    return "<link rel=\"" + std::string(rel) + "\"" + std::string(more) + " href=\"" + escape(href) + "\">\n";
}

// What search engines and previews read.
std::string told_to_engines(const PageHead& head) {
    const bool english = head.language == letters::Language::english;
    std::string out = meta("name", "description", head.description) + meta("property", "og:type", "website") +
                      meta("property", "og:site_name", head.site) + meta("property", "og:title", head.title) +
                      meta("property", "og:description", head.description) +
                      meta("property", "og:locale", english ? "en_US" : "zh_CN") +
                      meta("property", "og:locale:alternate", english ? "zh_CN" : "en_US") +
                      meta("name", "twitter:card", "summary");
    if (!head.url.empty())
        out += link("canonical", "", head.url + head.path.in(head.language)) +
               link("alternate", " hreflang=\"en\"", head.url + head.path.english) +
               link("alternate", " hreflang=\"zh\"", head.url + head.path.chinese) +
               link("alternate", " hreflang=\"x-default\"", head.url + head.path.english) +
               meta("property", "og:url", head.url + head.path.in(head.language));
    if (!head.json_ld.empty())
        out += "<script type=\"application/ld+json\">" + script_text(head.json_ld) + "</script>\n";
    return out;
}

std::string bars(const PageHead& head) {
    const bool english = head.language == letters::Language::english;
    const std::string& other = english ? head.path.chinese : head.path.english;
    return "<header><strong>" + escape(head.site) + "</strong><a href=\"" + (english ? "/pricing" : "/zh/pricing") +
           "\">" + (english ? "Prices" : "价格") + "</a><a href=\"/docs\">" + (english ? "API" : "接口文档") +
           "</a><a href=\"" + escape(other) + "\" lang=\"" + (english ? "zh\">中文" : "en\">English") +
           "</a></header>\n";
}

// "\"abc\"", "W/\"abc\"", and both with "-gzip" as they were given out packed.
bool names(std::string_view tags, std::string_view tag) {
    while (!tags.empty()) {
        auto one = tags.substr(0, tags.find(','));
        tags.remove_prefix(std::min(one.size() + 1, tags.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one == "*") return true;
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one.size() < 2 || one.front() != '"' || one.back() != '"') continue;
        one = one.substr(1, one.size() - 2);
        if (one.ends_with("-gzip")) one.remove_suffix(5);
        if (one == tag) return true;
    }
    return false;
}

void guard(http::Response& page) {
    page.headers.push_back({"Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
                            "frame-ancestors 'none'"});
    page.headers.push_back({"Referrer-Policy", "no-referrer"});
}

}  // namespace

std::string escape(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\'')
            out += "&#39;";
        else
            out += c;
    }
    return out;
}

std::string script_text(std::string_view json) {
    std::string out;
    for (char c : json) {
        if (c == '<')
            out += "\\u003c";
        else if (c == '>')
            out += "\\u003e";
        else if (c == '&')
            out += "\\u0026";
        else
            out += c;
    }
    return out;
}

std::string framed(const PageHead& head, std::string_view body) {
    const bool english = head.language == letters::Language::english;
    return std::string("<!doctype html>\n<html lang=\"") + (english ? "en" : "zh") +
           "\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
           "content=\"width=device-width,initial-scale=1\">\n"
           "<title>" +
           escape(head.title) + "</title>\n" + told_to_engines(head) + "<style>" + style + "</style></head>\n<body>" +
           bars(head) + "<main>" + std::string(body) + "</main>\n<footer><span>" + escape(head.site) +
           "</span><a href=\"/docs\">" + (english ? "API reference" : "接口文档") + "</a></footer></body></html>\n";
}

http::Response cached_page(const http::Request& request, std::string content_type, std::string body) {
    Sha256 digest;
    digest.add(body);
    const auto tag = digest.hex().substr(0, tag_digits);
    http::Response page;
    page.headers.push_back({"ETag", "\"" + tag + "\""});
    page.headers.push_back({"Cache-Control", "public, max-age=300"});
    guard(page);
    if (names(request.all_of_header("If-None-Match"), tag)) {
        page.status = 304;
        page.content_type.clear();
        return page;
    }
    page.content_type = std::move(content_type);
    page.body = std::move(body);
    return page;
}

http::Response fresh_page(std::string body, int status) {
    http::Response page;
    page.status = status;
    page.content_type = "text/html; charset=utf-8";
    page.body = std::move(body);
    guard(page);
    return page;
}

}  // namespace rootstock
