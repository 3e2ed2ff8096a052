#include "ledger/provider_call.h"

#include <array>

#include "base/base.h"

namespace rootstock::ledger {
namespace {

constexpr std::array names = {"created", "sent", "unknown", "succeeded", "failed"};

}  // namespace

const char* name(CallState state) { return names[static_cast<std::size_t>(state)]; }

CallState call_state(std::string_view text) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (text == names[i]) return static_cast<CallState>(i);
    ROOTSTOCK_CHECK(false, "a stored state of a provider's call is one of the list");
}

std::optional<CallState> after(CallState state, CallEvent event) {
    switch (state) {
        case CallState::created:
            if (event == CallEvent::send) return CallState::sent;
            if (event == CallEvent::refuse) return CallState::failed;
            return std::nullopt;
        case CallState::sent:
        case CallState::unknown:
            if (event == CallEvent::succeed) return CallState::succeeded;
            if (event == CallEvent::refuse) return CallState::failed;
            if (event == CallEvent::doubt) return CallState::unknown;
            return std::nullopt;
        case CallState::succeeded:
            return event == CallEvent::succeed ? std::optional(state) : std::nullopt;
        case CallState::failed:
            return event == CallEvent::refuse ? std::optional(state) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace rootstock::ledger
