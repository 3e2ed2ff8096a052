#pragma once
// The listener: accepts connections and runs each as a coroutine that reads a request, asks the handler, writes the
// answer, and goes on while both sides want to. Requests of one connection are answered one after the other, so
// pipelining is safe; bytes behind a refused request are never looked at.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/base.h"
#include "http/message/head.h"
#include "http/message/message.h"
#include "http/server/tls.h"

namespace rootstock::http {

struct ServerLimits {
    HeadLimits head;                                       // 431, 414
    std::size_t body_bytes_max = 10 * 1024 * 1024;         // one body; 413 beyond
    std::size_t bodies_bytes_max = 256 * 1024 * 1024;      // bodies of all open requests together; 503 beyond
    std::size_t spooled_bytes_max = std::size_t{4} << 30;  // the same for bodies kept in files
    std::chrono::milliseconds handshake_time_max{10'000};  // of TLS
    std::chrono::milliseconds head_time_max{10'000};       // from the first byte of a head to its last
    std::chrono::milliseconds idle_time_max{75'000};       // between two requests of one connection
    std::chrono::milliseconds body_time_grace{10'000};     // a body may take this long...
    std::size_t body_bytes_per_second_min = 1024;          // ...and a second more for each of these
    std::chrono::milliseconds write_stall_max{30'000};     // without a byte taken by the reader
    std::chrono::milliseconds look_every{200};             // whether callers that wait for an answer are still there
    std::chrono::milliseconds linger_time_max{2'000};      // reading on after a refusal, so that it arrives
    std::size_t connections_max = 4096;                    // further ones are answered 503 and closed
    std::chrono::milliseconds drain_time_max{30'000};      // what stop() gives to requests in flight
    std::chrono::milliseconds settle_time_max{2'000};      // and then, cut off, to their handlers
};

// Answers one request. May throw: the caller is told 500 and the fault is logged.
using Handler = std::function<boost::asio::awaitable<Response>(Request&)>;

// What a refused request is answered: made by the application, so that all errors have one shape.
using RefusalPage = std::function<Response(const Refusal&)>;

// What is to be done with a body, decided when the head is complete and before a byte of the body is taken.
struct BodyPlan {
    std::size_t bytes_max = 0;     // 413 beyond
    std::filesystem::path folder;  // the body goes to a file in it (Request::body_file); empty: to Request::body
};
// Or the answer that ends the matter: the body is not read, and the connection closes.
using PlanBody = std::function<std::expected<BodyPlan, Response>(const Request&)>;

class Server {
public:
    Server(boost::asio::io_context& io, ServerLimits limits, Handler handler, RefusalPage refusal_page);
    ~Server();

    // Without it every body goes to memory, up to body_bytes_max. To be called before listen.
    void plan_bodies(PlanBody plan);

    // Connections accepted from now on speak TLS with these keys; those that are open go on with theirs. On the
    // io_context's thread once that runs.
    void use_tls(std::shared_ptr<const Tls> tls);

    // The limits from now on, for connections that are open too. The same thread.
    void set_limits(const ServerLimits& limits);

    // "HOST:PORT"; port 0 takes a free one; "[::1]:80" for IPv6. Sentences for a port in use, a name that does not
    // resolve, a port that needs privileges. Accepting begins when the io_context runs.
    Result<void> listen(const std::string& address);
    std::string address() const;  // with the port really taken

    // Accepts no more, ends idle connections, lets requests in flight finish (at most drain_time_max), then calls
    // `drained`. To be called on the io_context's thread.
    void stop(std::function<void()> drained);

    std::size_t connections() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace rootstock::http
