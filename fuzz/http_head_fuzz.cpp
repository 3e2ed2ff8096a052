// http/message/head: a request's head and its target.

#include "http/message/head.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto bytes = fuzz::as_text(data, size);
    fuzz::use(http::has_bare_line_feed(bytes));
    std::string head(bytes.substr(0, bytes.find("\r\n\r\n")));  // the server hands whole heads over, and only those
    fuzz::use(http::check_head(head + "\r\n\r\n", {}).has_value());
    auto line = bytes.substr(0, bytes.find('\n'));
    auto begin = line.find(' ');
    auto target =
        begin == std::string_view::npos ? line : line.substr(begin + 1, line.find(' ', begin + 1) - begin - 1);
    auto parsed = http::parse_target(target);
    if (!parsed) return 0;
    for (const auto& segment : parsed->segments)
        if (segment == "." || segment == ".." || segment.find('\0') != std::string::npos) std::abort();
    return 0;
}
