#include "http/server/channel.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "http/server/tls_state.h"

namespace rootstock::http {
namespace asio = boost::asio;
using boost::system::error_code;

Channel::Channel(asio::ip::tcp::socket socket, std::shared_ptr<const Tls> tls)
    : wire_(std::move(socket)), tls_(std::move(tls)) {
    if (tls_) secure_.emplace(wire_, tls_->state().context.native_handle());
}

asio::awaitable<Channel::Opened> Channel::open() {
    if (!secure_) co_return Opened::yes;
    error_code code;
    try {
        co_await secure_->handshake();
        co_return Opened::yes;
    } catch (const boost::system::system_error& error) {
        code = error.code();
    }
    const bool plain = code.category() == asio::error::get_ssl_category() &&
                       ERR_GET_REASON(static_cast<unsigned long>(code.value())) == SSL_R_HTTP_REQUEST;
    if (plain) co_return Opened::spoke_plainly;
    co_return Opened::no;
}

// Plain functions that hand the operation on: no coroutine frame stands between the connection and its socket.
asio::awaitable<std::size_t> Channel::read_some(asio::mutable_buffer space) {
    if (secure_) return secure_->read_some(space);
    return wire_.async_read_some(space, asio::use_awaitable);
}

asio::awaitable<std::size_t> Channel::write_some(asio::const_buffer bytes) {
    if (secure_) return secure_->write_some(bytes);
    return wire_.async_write_some(bytes, asio::use_awaitable);
}

asio::awaitable<std::size_t> Channel::read_raw(asio::mutable_buffer space) {
    return wire_.async_read_some(space, asio::use_awaitable);
}

asio::awaitable<std::size_t> Channel::write_raw(asio::const_buffer bytes) {
    return wire_.async_write_some(bytes, asio::use_awaitable);
}

asio::awaitable<void> Channel::farewell(std::chrono::milliseconds time_max) {
    if (!secure_ || !wire_.socket().is_open()) co_return;
    wire_.expires_after(time_max);
    try {
        co_await secure_->shutdown();
    } catch (const boost::system::system_error&) {  // a peer that left without a word, or sends on
    }
}

void Channel::close() {
    error_code code;
    wire_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, code);
    wire_.close();
}

}  // namespace rootstock::http
