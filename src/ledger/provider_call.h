#pragma once
// The life of one call to a payment provider, an attempt to take money or to give it back:
//
//   created -> sent -> succeeded | failed | unknown;   unknown -> (asked) -> succeeded | failed
//
// The row is durable before the call is made, and says `sent` before the first byte leaves. A call that ended without
// an answer is `unknown`: the provider is asked what became of it, and it is never made a second time. What succeeded
// or failed stays so; hearing the same end again (an answer and a webhook) is no step.

#include <optional>
#include <string_view>

namespace rootstock::ledger {

enum class CallState { created, sent, unknown, succeeded, failed };
enum class CallEvent {
    send,     // the call is about to be made
    succeed,  // the money moved
    refuse,   // it did not and will not
    doubt,    // no answer, or one that does not say
};

const char* name(CallState state);
CallState call_state(std::string_view name);

// Nothing: an illegal step.
std::optional<CallState> after(CallState state, CallEvent event);

inline bool is_final(CallState state) { return state == CallState::succeeded || state == CallState::failed; }

}  // namespace rootstock::ledger
