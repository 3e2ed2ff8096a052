// GET /docs and /openapi.json: the contract, for people and for programs.

#include "app/contract/contract.h"
#include "app/contract/document.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

Task<Result<http::Response>> page(Exchange&) {
    static const std::string html = docs_page(Contract::built_in().document());
    http::Response response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.push_back({"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"});
    response.body = html;
    co_return response;
}

Task<Result<http::Response>> document(Exchange&) {
    http::Response response;
    response.body = openapi_document();
    co_return response;
}

}  // namespace

void add_docs_routes(Routes& routes) {
    routes.add("GET", "/docs", {Access::open, Body::none, page});
    routes.add("GET", "/openapi.json", {Access::open, Body::none, document});
}

}  // namespace rootstock
