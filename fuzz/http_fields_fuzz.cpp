// http/message: header fields that are read further: Accept-Encoding, traceparent and tracestate, origins.

#include "http/message/cors.h"
#include "http/message/encoding.h"
#include "http/message/trace.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto bytes = fuzz::as_text(data, size);
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string first(bytes.substr(0, end)), second(bytes.substr(std::min(end + 1, bytes.size())));
    fuzz::use(http::prefers_gzip(first));
    http::Request request;
    request.method = "OPTIONS";
    request.headers = {{"traceparent", first},
                       {"tracestate", second},
                       {"Origin", "https://a.example"},
                       {"Access-Control-Request-Method", "GET"},
                       {"Access-Control-Request-Headers", second}};
    const auto trace = http::trace_of(request);
    if (trace.text().size() != 55) std::abort();
    if (!trace.state.empty() && trace.parent.empty()) std::abort();
    // A trace of ours is one that we would take.
    request.headers = {{"traceparent", trace.text()}};
    if (http::trace_of(request).trace != trace.trace) std::abort();
    auto asked = http::preflight(request, {"https://a.example"}, "GET");
    if (asked)
        for (const auto& header : asked->headers)
            if (header.value.find_first_of("\r\n") != std::string::npos) std::abort();
    fuzz::use(http::check_origin(first).has_value());
    return 0;
}
