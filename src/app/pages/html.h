#pragma once
// What the pages for people have in common: texts that cannot become markup, the frame around a page, its looks. No
// page runs a script or fetches anything from elsewhere; all are readable with plain HTML.

#include <string>
#include <string_view>
#include <vector>

#include "flow/flow.h"
#include "http/http.h"

namespace rootstock {

std::string escape(std::string_view text);       // & < > " ' as entities: for texts and attributes alike
std::string script_text(std::string_view json);  // JSON inside <script>, where "</script>" must not end it

// A page's own path in each language, "/pricing" and "/zh/pricing".
struct PagePath {
    std::string english, chinese;
    const std::string& in(letters::Language language) const {
        return language == letters::Language::english ? english : chinese;
    }
};

struct PageHead {
    letters::Language language = letters::Language::english;
    std::string site;  // who speaks
    std::string title, description;
    std::string url;  // of the server, as settings have it; empty: no links that search engines follow
    PagePath path;
    std::string json_ld{};  // schema.org; empty: none
};

// The whole page around `body`, which is markup.
std::string framed(const PageHead& head, std::string_view body);

// Kept by browsers and caches for five minutes and asked for again by its tag then: 304 where it is the same.
http::Response cached_page(const http::Request& request, std::string content_type, std::string body);
// For one reader and one time.
http::Response fresh_page(std::string body, int status = 200);

}  // namespace rootstock
