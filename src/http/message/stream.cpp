#include "http/message/stream.h"

#include <utility>

#include "base/base.h"

namespace rootstock::http {

void Presence::leave() {
    if (std::exchange(gone_, true)) return;
    if (auto call = std::exchange(call_, nullptr)) call();
}

WhenGone::WhenGone(Presence& presence, std::function<void()> call) : presence_(presence) {
    ROOTSTOCK_CHECK(!presence_.call_, "two wait for the same caller to leave");
    if (presence_.gone())
        call();
    else
        presence_.call_ = std::move(call);
}

WhenGone::~WhenGone() { presence_.call_ = nullptr; }

std::string server_sent_event(std::string_view data) {
    std::string event;
    for (std::size_t begin = 0; begin <= data.size();) {
        const auto end = std::min(data.find('\n', begin), data.size());
        event.append("data: ").append(data.substr(begin, end - begin)).append("\n");
        begin = end + 1;
    }
    return event + "\n";
}

}  // namespace rootstock::http
