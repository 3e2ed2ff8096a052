#include "http/server/secure.h"

#include <openssl/err.h>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <new>

#include "base/base.h"

namespace rootstock::http {
namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr std::size_t pair_bytes = 8 * 1024;  // each way

}  // namespace

Secure::Secure(boost::beast::tcp_stream& wire, SSL_CTX* context)
    : wire_(wire), ssl_(SSL_new(context), &SSL_free), outside_(nullptr, &BIO_free) {
    BIO *inside = nullptr, *outside = nullptr;
    if (!ssl_ || BIO_new_bio_pair(&inside, pair_bytes, &outside, pair_bytes) != 1) throw std::bad_alloc();
    outside_.reset(outside);
    SSL_set_bio(ssl_.get(), inside, inside);
    SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_accept_state(ssl_.get());
}

// What OpenSSL has written leaves, whether its step is done or not.
asio::awaitable<void> Secure::send() {
    char* bytes = nullptr;
    for (int count; (count = BIO_nread0(outside_.get(), &bytes)) > 0;) {
        const auto piece = asio::buffer(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
        const auto sent = co_await wire_.async_write_some(piece, asio::use_awaitable);
        BIO_nread(outside_.get(), &bytes, static_cast<int>(sent));
    }
}

asio::awaitable<void> Secure::receive() {
    char* place = nullptr;
    const int room = BIO_nwrite0(outside_.get(), &place);
    ROOTSTOCK_CHECK(room > 0, "OpenSSL asks for more only when it has read what came");
    error_code code;
    const auto got = co_await wire_.async_read_some(asio::buffer(place, static_cast<std::size_t>(room)),
                                                    asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::eof) code = asio::ssl::error::stream_truncated;
    if (code) throw system_error(code);
    BIO_nwrite(outside_.get(), &place, static_cast<int>(got));
}

// Repeats a step of OpenSSL until it is done. Its errors stand in a queue of the thread, which belongs to another
// connection after the next suspension.
template <typename Step>
asio::awaitable<void> Secure::run(Step step) {
    for (;;) {
        ERR_clear_error();
        const int done = step();
        const int wish = SSL_get_error(ssl_.get(), done);
        const auto error = ERR_get_error();
        co_await send();
        if (done > 0) co_return;
        if (wish == SSL_ERROR_ZERO_RETURN) throw system_error(asio::error::eof);
        if (wish == SSL_ERROR_WANT_READ) co_await receive();
        if (wish == SSL_ERROR_WANT_READ || wish == SSL_ERROR_WANT_WRITE) continue;
        if (error == 0) throw system_error(asio::ssl::error::unspecified_system_error);
        throw system_error(error_code(static_cast<int>(error), asio::error::get_ssl_category()));
    }
}

asio::awaitable<void> Secure::handshake() {
    co_await run([this] { return SSL_do_handshake(ssl_.get()); });
}

asio::awaitable<std::size_t> Secure::read_some(asio::mutable_buffer space) {
    std::size_t got = 0;
    co_await run([this, space, &got] { return SSL_read_ex(ssl_.get(), space.data(), space.size(), &got); });
    co_return got;
}

asio::awaitable<std::size_t> Secure::write_some(asio::const_buffer bytes) {
    std::size_t taken = 0;
    co_await run([this, bytes, &taken] { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken); });
    co_return taken;
}

asio::awaitable<void> Secure::shutdown() {
    const auto step = [this] {
        const int said = SSL_shutdown(ssl_.get());
        if (said != 0) return said;
        return SSL_shutdown(ssl_.get());  // ours is sent, the peer's has not come
    };
    co_await run(step);
}

}  // namespace rootstock::http
