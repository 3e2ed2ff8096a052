#pragma once
// The steps of a request, as one ordered list.

#include <span>

#include "app/pipeline/exchange.h"

namespace rootstock {

struct Step {
    const char* name;
    const char* reason;  // why it stands where it stands
    Task<Result<void>> (*run)(Exchange&);
};

std::span<const Step> steps();

// Runs a request through the steps, turns the first failure into a problem, marks the answer with the request's id,
// counts and logs it. Both outlive the handler.
http::Handler make_handler(Services& services, const Routes& routes);
http::RefusalPage make_refusal_page(Services& services);

// Where bodies go: a form's to disk, up to the limit of uploads and only for who may send one; others to memory.
http::PlanBody make_body_plan(Services& services, const Routes& routes);

// A request that comes from inside, for a caller who is known already: matched, parsed and answered like any other.
Task<http::Response> answer_inside(Exchange& exchange);

}  // namespace rootstock
