#include "http/server/channel.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/server/tls_state.h"

namespace rootstock::http {
namespace asio = boost::asio;
using boost::system::error_code;

Channel::Channel(asio::ip::tcp::socket socket, std::shared_ptr<const Tls> tls)
    : wire_(std::move(socket)), tls_(std::move(tls)) {
    if (tls_) secure_.emplace(wire_, tls_->state().context);
}

asio::awaitable<Channel::Opened> Channel::open() {
    if (!secure_) co_return Opened::yes;
    error_code code;
    co_await secure_->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, code));
    if (!code) co_return Opened::yes;
    const bool plain = code.category() == asio::error::get_ssl_category() &&
                       ERR_GET_REASON(static_cast<unsigned long>(code.value())) == SSL_R_HTTP_REQUEST;
    if (plain) co_return Opened::spoke_plainly;
    co_return Opened::no;
}

// Plain functions that hand the operation on: no coroutine frame stands between the connection and its socket.
asio::awaitable<std::size_t> Channel::read_some(asio::mutable_buffer space) {
    if (secure_) return secure_->async_read_some(space, asio::use_awaitable);
    return wire_.async_read_some(space, asio::use_awaitable);
}

asio::awaitable<std::size_t> Channel::write_some(asio::const_buffer bytes) {
    if (secure_) return secure_->async_write_some(bytes, asio::use_awaitable);
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
    error_code ignored;
    co_await secure_->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

void Channel::close() {
    error_code code;
    wire_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, code);
    wire_.close();
}

}  // namespace rootstock::http
