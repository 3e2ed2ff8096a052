#pragma once
// The bytes of one connection, plain or under TLS. A plain one costs nothing more than its socket. Internal to http/.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <optional>

#include "http/server/secure.h"
#include "http/server/tls.h"

namespace rootstock::http {

class Channel {
public:
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    // `tls` null: plain. The certificate stays the one given here for as long as the connection lives.
    Channel(boost::asio::ip::tcp::socket socket, std::shared_ptr<const Tls> tls);

    bool secure() const { return secure_.has_value(); }
    boost::beast::tcp_stream& wire() { return wire_; }  // for time limits
    boost::asio::ip::tcp::socket& socket() { return wire_.socket(); }

    enum class Opened { yes, no, spoke_plainly };  // the last: HTTP without TLS
    // The handshake, where there is one, within the time limit that is set.
    Task<Opened> open();

    // Of the connection's own bytes, some; errors and time limits as exceptions.
    Task<std::size_t> read_some(boost::asio::mutable_buffer space);
    Task<std::size_t> write_some(boost::asio::const_buffer bytes);

    // What is on the wire, whatever it means.
    Task<std::size_t> read_raw(boost::asio::mutable_buffer space);
    Task<std::size_t> write_raw(boost::asio::const_buffer bytes);

    // Under TLS: says that nothing more comes and waits for the peer to say so too. Only to be said after whole
    // answers: without it the peer knows that an answer was cut off. Throws nothing.
    Task<void> farewell(std::chrono::milliseconds time_max);

    void cancel() { wire_.cancel(); }
    void close();

private:
    boost::beast::tcp_stream wire_;
    std::shared_ptr<const Tls> tls_;
    std::optional<Secure> secure_;
};

}  // namespace rootstock::http
