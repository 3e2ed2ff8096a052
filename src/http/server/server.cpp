#include "http/server/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "http/server/connection.h"

namespace rootstock::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct Server::State {
    State(asio::io_context& io, Shared shared)
        : shared(std::move(shared)), acceptor(io), drain_timer(io), look_timer(io) {}

    Shared shared;
    tcp::acceptor acceptor;
    asio::steady_timer drain_timer, look_timer;
    std::set<Connection*> open;
    std::function<void()> drained;
    std::string address;

    void ended(Connection* connection) {
        open.erase(connection);
        if (shared.stopping && open.empty()) finish();
    }

    // Watching each connection by itself would cost every request a timer; one for all costs nothing.
    void look() {
        look_timer.expires_after(shared.limits.look_every);
        look_timer.async_wait([this](error_code cancelled) {
            if (cancelled) return;
            for (auto* connection : open) connection->look();
            look();
        });
    }

    void finish() {
        drain_timer.cancel();
        look_timer.cancel();
        if (auto call = std::exchange(drained, nullptr)) call();
    }
};

namespace {

using StatePtr = std::shared_ptr<Server::State>;

asio::awaitable<void> run_connection(StatePtr state, tcp::socket socket) {
    Connection connection(std::move(socket), state->shared);
    state->open.insert(&connection);
    co_await connection.run();
    state->ended(&connection);
}

// Too many connections: one try to say so, without waiting.
void turn_away(const Server::State& state, tcp::socket& socket) {
    if (state.shared.tls) return;  // a handshake is work that there is no room for
    error_code code;
    socket.non_blocking(true, code);
    auto page = state.shared.refusal_page({503, "too many connections; come back in a moment"});
    socket.write_some(asio::buffer(serialize(page, false, false)), code);
}

asio::awaitable<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> accept_all(StatePtr state) {
    auto executor = state->acceptor.get_executor();
    while (!state->shared.stopping) {
        error_code code;
        auto socket = co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, code));
        if (code == asio::error::operation_aborted || !state->acceptor.is_open()) co_return;
        if (code) {
            // Out of file descriptors, most likely: those in use will come back.
            spdlog::warn("cannot accept a connection: {}", code.message());
            co_await pause(std::chrono::milliseconds(50));
        } else if (state->open.size() >= state->shared.limits.connections_max) {
            turn_away(*state, socket);
        } else {
            asio::co_spawn(executor, run_connection(state, std::move(socket)), asio::detached);
        }
    }
}

struct HostPort {
    std::string host;
    std::string port;
};

Result<HostPort> split_address(const std::string& address) {
    auto colon = address.rfind(':');
    auto bad =
        fail(ErrorCode::invalid_argument,
             "'" + address + "' is not an address to listen on: write HOST:PORT, such as 127.0.0.1:8080", "listen");
    if (colon == std::string::npos || colon == 0 || colon + 1 == address.size() || address.size() - colon > 6)
        return bad;
    HostPort parts{address.substr(0, colon), address.substr(colon + 1)};
    for (char c : parts.port)
        if (c < '0' || c > '9') return bad;
    if (std::stoi(parts.port) > 65535) return bad;
    if (parts.host.front() == '[' && parts.host.back() == ']') parts.host = parts.host.substr(1, parts.host.size() - 2);
    return parts;
}

Error listen_error(const std::string& address, error_code code) {
    if (code == asio::error::address_in_use)
        return {ErrorCode::io,
                "cannot listen on " + address +
                    ": another program uses this port; stop it or choose another with --listen HOST:PORT",
                "listen", "port_in_use"};
    if (code == asio::error::access_denied)
        return {ErrorCode::io,
                "cannot listen on " + address + ": ports below 1024 need privileges; choose a higher one", "listen",
                "port_denied"};
    return {ErrorCode::io, "cannot listen on " + address + ": " + code.message(), "listen", {}};
}

error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
    error_code code;
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    return code;
}

std::string to_text(const tcp::endpoint& endpoint) {
    auto host = endpoint.address().to_string();
    if (endpoint.address().is_v6()) host = "[" + host + "]";
    return host + ":" + std::to_string(endpoint.port());
}

}  // namespace

Server::Server(asio::io_context& io, ServerLimits limits, Handler handler, RefusalPage refusal_page)
    : state_(std::make_shared<State>(io, Shared{limits, std::move(handler), std::move(refusal_page), {}})) {}

Server::~Server() = default;

void Server::plan_bodies(PlanBody plan) { state_->shared.plan_body = std::move(plan); }

void Server::use_tls(std::shared_ptr<const Tls> tls) { state_->shared.tls = std::move(tls); }

void Server::set_limits(const ServerLimits& limits) { state_->shared.limits = limits; }

Result<void> Server::listen(const std::string& address) {
    ROOTSTOCK_TRY(parts, split_address(address));
    error_code code;
    tcp::resolver resolver(state_->acceptor.get_executor());
    auto found = resolver.resolve(parts.host, parts.port, tcp::resolver::passive, code);
    if (code || found.empty())
        return fail(ErrorCode::invalid_argument, "cannot listen on " + address + ": the host name is unknown",
                    "listen");
    code = open_acceptor(state_->acceptor, found.begin()->endpoint());
    if (code) return fail(listen_error(address, code));
    state_->address = to_text(state_->acceptor.local_endpoint());
    asio::co_spawn(state_->acceptor.get_executor(), accept_all(state_), asio::detached);
    state_->look();
    return {};
}

std::string Server::address() const { return state_->address; }

std::size_t Server::connections() const { return state_->open.size(); }

void Server::stop(std::function<void()> drained) {
    auto& state = *state_;
    if (state.shared.stopping) return;
    state.shared.stopping = true;
    state.drained = std::move(drained);
    error_code code;
    state.acceptor.close(code);
    for (auto* connection : state.open) connection->close_if_idle();
    if (state.open.empty()) return state.finish();
    state.drain_timer.expires_after(state.shared.limits.drain_time_max);
    state.drain_timer.async_wait([keep = state_](error_code cancelled) {
        if (cancelled) return;
        for (auto* connection : keep->open) connection->close();
        if (keep->open.empty()) return keep->finish();
        keep->drain_timer.expires_after(keep->shared.limits.settle_time_max);
        keep->drain_timer.async_wait([keep](error_code over) {
            if (!over) keep->finish();
        });
    });
}

}  // namespace rootstock::http
