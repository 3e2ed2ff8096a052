#pragma once
// One accepted connection: reads requests, has them answered, one after the other. Internal to http/.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "http/server/channel.h"
#include "http/server/server.h"

namespace rootstock::http {

// What all connections of one server share.
struct Shared {
    ServerLimits limits;
    Handler handler;
    RefusalPage refusal_page;
    PlanBody plan_body;             // may be empty: every body goes to memory
    std::size_t bodies_bytes = 0;   // held in memory by open requests now
    std::size_t spooled_bytes = 0;  // and in files
    bool stopping = false;
    std::shared_ptr<const Tls> tls{};  // of connections to come; null: they are plain
};

class Connection {
public:
    Connection(boost::asio::ip::tcp::socket socket, Shared& shared);

    // Until the peer leaves, a limit strikes, or the server stops. Throws nothing.
    boost::asio::awaitable<void> run();

    void close_if_idle();  // between two requests; under TLS with a farewell
    void look();           // tells the handler at work when its caller has left
    void close();          // at once

private:
    struct Parser;
    class Sink;
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    Task<bool> open();
    Task<void> serve_all();
    Task<bool> serve_one();
    Task<std::optional<Refusal>> read_head(std::size_t& head_bytes);
    Task<std::optional<Refusal>> read_body(Parser& parser);
    Task<Response> answer(Request& request);
    Task<void> send(Response response, bool keep_alive, const Request& request);
    Task<void> stream(const Response& response, std::string head, bool chunked);
    Task<bool> refuse(Refusal refusal);
    Task<bool> turn_down(Response response);
    Task<void> read_some(std::size_t bytes_max);
    Task<void> write(std::string bytes);
    Task<void> write_file(const BodyFile& file);
    Task<void> linger();

    std::expected<void, Response> plan_body(const Request& request, Parser& parser);
    std::optional<Refusal> parse_head(std::size_t head_bytes, Parser& parser, Request& request);

    Channel channel_;
    boost::beast::flat_buffer buffer_;
    Shared& shared_;
    std::string peer_;
    bool idle_ = false;
    bool whole_ = false;                // every answer that was begun has been sent to its end
    bool old_ = false;                  // the caller speaks HTTP/1.0
    std::shared_ptr<Presence> caller_;  // while a request is being answered
};

}  // namespace rootstock::http
