// flow/writing/tool_calls: what a model wrote, read as calls of functions. The model may have been told to write anything.

#include "flow/writing/tool_calls.h"

#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    for (const auto form : {ToolForm::none, ToolForm::marked, ToolForm::listed, ToolForm::bare}) {
        const auto reading = read_tool_calls(form, text);
        if (reading.calls.empty() && reading.words != text) std::abort();  // nothing is lost
        for (const auto& call : reading.calls) fuzz::use(call.name.size() + call.arguments.size());
    }
    fuzz::use(static_cast<std::size_t>(tool_form(text)));
    return 0;
}
