#pragma once
// Which trace a request belongs to (W3C Trace Context, level 2): the headers traceparent and tracestate, read strictly,
// and a span of our own below the caller's.

#include <string>
#include <string_view>

#include "http/message/message.h"

namespace rootstock::http {

struct TraceContext {
    std::string trace;   // 32 lower-case hexadecimal digits
    std::string parent;  // 16: the caller's span; empty when the trace begins here
    std::string span;    // 16: this request
    bool sampled = false;
    bool random = true;  // the trace id was drawn at random
    std::string state;   // tracestate, as it came; empty when there was none or it was malformed

    // "00-TRACE-SPAN-FLAGS": the traceresponse header, and the traceparent of whom we would ask in turn.
    std::string text() const;
};

// Of a request. An absent, doubled or malformed traceparent begins a new trace, and its tracestate means nothing then.
TraceContext trace_of(const Request& request);

// A tracestate that may be passed on: at most 32 members, no key twice, keys and values as the standard writes them.
bool is_tracestate(std::string_view text);

}  // namespace rootstock::http
