#pragma once
// One connection's TLS, with small buffers: OpenSSL's records stand in a pair of half a record's size on the way to and
// from the wire, so that an idle connection holds little. One operation at a time. Internal to http/.

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>

namespace rootstock::http {

class Secure {
public:
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    Secure(boost::beast::tcp_stream& wire, SSL_CTX* context);

    // All of these end by exception: errors and time limits of the wire, OpenSSL's own in Asio's category for them,
    // end of file after the peer's farewell, stream_truncated without it.
    Task<void> handshake();
    Task<std::size_t> read_some(boost::asio::mutable_buffer space);
    Task<std::size_t> write_some(boost::asio::const_buffer bytes);
    Task<void> shutdown();  // says that nothing more comes and waits for the peer to say so too

private:
    template <typename Step>
    Task<void> run(Step step);
    Task<void> send();
    Task<void> receive();

    boost::beast::tcp_stream& wire_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    std::unique_ptr<BIO, decltype(&BIO_free)> outside_;  // our end of the pair
};

}  // namespace rootstock::http
