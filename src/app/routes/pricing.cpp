// GET /pricing, /zh/pricing, /sitemap.xml, /robots.txt: what the world sees, made from the plans on offer.

#include "app/pages/pricing_page.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

using Write = std::string (*)(const ShopWindow&);

Task<Result<http::Response>> told(Exchange& exchange, const char* content_type, Write write) {
    auto& services = exchange.services;
    auto window = services.records->read(
        [&](store::Session& session) { return shop_window(session, services.settings.front, services.clock.now()); });
    if (!window) co_return fail(window.error());
    co_return cached_page(exchange.request, content_type, write(*window));
}

std::string english(const ShopWindow& window) { return pricing_page(window, letters::Language::english); }
std::string chinese(const ShopWindow& window) { return pricing_page(window, letters::Language::chinese); }

Task<Result<http::Response>> in_english(Exchange& exchange) {
    co_return co_await told(exchange, "text/html; charset=utf-8", english);
}
Task<Result<http::Response>> in_chinese(Exchange& exchange) {
    co_return co_await told(exchange, "text/html; charset=utf-8", chinese);
}
Task<Result<http::Response>> map(Exchange& exchange) {
    co_return co_await told(exchange, "application/xml; charset=utf-8", sitemap);
}
Task<Result<http::Response>> robots(Exchange& exchange) {
    co_return co_await told(exchange, "text/plain; charset=utf-8", robots_text);
}

}  // namespace

void add_pricing_routes(Routes& routes) {
    routes.add("GET", "/pricing", {Access::open, Body::none, in_english});
    routes.add("GET", "/zh/pricing", {Access::open, Body::none, in_chinese});
    routes.add("GET", "/sitemap.xml", {Access::open, Body::none, map});
    routes.add("GET", "/robots.txt", {Access::open, Body::none, robots});
}

}  // namespace rootstock
