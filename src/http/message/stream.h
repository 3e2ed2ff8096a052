#pragma once
// Bodies that are made while they are sent, and whether anybody still reads them.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace rootstock::http {

// The caller at the other end, from the arrival of its request to the end of the answer. A caller that closes the
// connection, or its sending side, has left. Used on the server's thread only.
class Presence {
public:
    bool gone() const { return gone_; }
    void leave();  // by the server, when it sees that nobody is there any more

private:
    friend class WhenGone;
    bool gone_ = false;
    std::function<void()> call_;
};

// While it lives, `call` is called once when the caller leaves; at once if it has left already. One at a time.
class WhenGone {
public:
    WhenGone(Presence& presence, std::function<void()> call);
    ~WhenGone();
    WhenGone(const WhenGone&) = delete;
    WhenGone& operator=(const WhenGone&) = delete;

private:
    Presence& presence_;
};

// Takes a body piece by piece.
class BodySink {
public:
    virtual ~BodySink() = default;

    // Returns when the system has taken all of the piece: a slow reader slows the producer down. False: nobody reads
    // any more (the caller left, or took nothing for write_stall_max); further pieces go nowhere.
    virtual boost::asio::awaitable<bool> write(std::string piece) = 0;
};

// Writes a whole body. When it throws, the connection breaks off, so that the reader does not take the part for all.
using BodyProducer = std::function<boost::asio::awaitable<void>(BodySink&)>;

// One server-sent event with this data (HTML Living Standard, "Server-sent events"); a line of data a field.
std::string server_sent_event(std::string_view data);

}  // namespace rootstock::http
