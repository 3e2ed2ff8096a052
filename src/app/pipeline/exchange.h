#pragma once
// One request on its way through the pipeline, and what a route is.

#include <functional>
#include <optional>
#include <string>

#include "app/pipeline/actor.h"
#include "app/pipeline/problem.h"
#include "app/wiring/services.h"
#include "base/base.h"
#include "http/http.h"
#include "tenant/tenant.h"

namespace rootstock {

template <typename T>
using Task = boost::asio::awaitable<T>;

struct Exchange;

enum class Access {
    open,    // anybody
    key,     // Authorization: Bearer KEY
    manage,  // the management API: a key with scopes, or a person who is signed in
};
enum class Body {
    none,
    json,
    form,     // multipart/form-data with a file: kept on disk, read by the route
    picture,  // JSON, or a form with a picture, which is kept in memory and read by the route
};

struct Endpoint {
    Access access = Access::key;
    Body body = Body::none;
    std::function<Task<Result<http::Response>>(Exchange&)> answer;
    Dialect dialect = Dialect::openai;  // in which it tells what went wrong
};
using Routes = http::Router<Endpoint>;

struct Exchange {
    http::Request& request;
    Services& services;
    const Routes& routes;
    RequestId id{};
    const Routes::Route* route = nullptr;            // after "match"
    std::string allow{};                             // methods of the path, when only the method was wrong
    tenant::Caller caller{};                         // after "authenticate"
    std::optional<tenant::SignedIn> person{};        // after "authenticate", of a call to the management API
    Actor actor{};                                   // after "authorize", of a call to the management API
    json::value body{};                              // after "parse"
    std::string fingerprint{};                       // after "parse": of the body, when an Idempotency-Key came with it
    std::optional<ledger::IdempotencyKey> repeat{};  // after "claim": what is to be kept with the effect
    bool answered = false;                           // before "answer": it was done before and is told again
    http::Response response{};                       // after "answer"
    http::TraceContext trace{};                      // which trace it belongs to, and its own span
    std::shared_ptr<tenant::Admission> admission{};  // after "limit", also when that refused; null: nothing is limited
    bool batch = false;                              // a line of a batch, not a call from outside
};

}  // namespace rootstock
