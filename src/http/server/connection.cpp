#include "http/server/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

#include "base/base.h"
#include "http/server/body_store.h"

namespace rootstock::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t idle_bytes = 8 * 1024;

std::string_view view(const beast::flat_buffer& buffer) {
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

std::string text(beast::string_view view) { return {view.data(), view.size()}; }

// Body bytes are counted against the server's total while the request is open.
class BodyShare {
public:
    explicit BodyShare(std::size_t& total) : total_(total) {}
    ~BodyShare() { total_ -= mine_; }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;
    void add(std::size_t bytes) { mine_ += bytes, total_ += bytes; }

private:
    std::size_t& total_;
    std::size_t mine_ = 0;
};

Refusal too_large(std::size_t bytes_max) {
    return {413, "the request body is larger than " + std::to_string(bytes_max) + " bytes"};
}

Refusal body_refusal(error_code code, const BodyStore& store) {
    if (code == beast::http::error::body_limit) return too_large(store.bytes_max);
    if (store.disk_refused) return {503, "the server has no room for this body now; come back in a moment"};
    return {400, "the request body is malformed: " + code.message()};
}

}  // namespace

struct Connection::Parser {
    beast::http::request_parser<StoredBody> parser;
    // Chunk extensions mean nothing to us and have been used to hide requests.
    // One that announces more than the body may have is refused before its bytes come.
    std::function<void(std::uint64_t, beast::string_view, error_code&)> on_chunk =
        [this](std::uint64_t size, beast::string_view extension, error_code& code) {
            if (!extension.empty()) code = beast::http::error::bad_chunk_extension;
            if (size > parser.get().body().bytes_max) code = beast::http::error::body_limit;
        };
    BodyShare share;    // of memory
    BodyShare spooled;  // on disk

    explicit Parser(Shared& shared) : share(shared.bodies_bytes), spooled(shared.spooled_bytes) {
        parser.body_limit(boost::none);  // the store keeps the limit, once the head has told what it is
        parser.header_limit(static_cast<std::uint32_t>(shared.limits.head.head_bytes_max) + 1);
        parser.on_chunk_header(on_chunk);
        parser.eager(true);
    }
};

Connection::Connection(asio::ip::tcp::socket socket, Shared& shared)
    : channel_(std::move(socket), shared.tls), shared_(shared) {
    error_code code;
    channel_.socket().set_option(asio::ip::tcp::no_delay(true), code);
    auto endpoint = channel_.socket().remote_endpoint(code);
    if (!code) peer_ = endpoint.address().to_string();
}

asio::awaitable<void> Connection::run() {
    try {
        const bool opened = co_await open();
        if (opened) co_await serve_all();
    } catch (const boost::system::system_error&) {
        // The peer left or a time limit closed the stream: nobody is there to be told.
    } catch (const std::exception& fault) {
        spdlog::error("connection: {}", fault.what());
    }
    if (whole_) co_await channel_.farewell(shared_.limits.linger_time_max);
    close();
}

// Under TLS: the handshake. Who speaks HTTP without TLS is told so, in HTTP.
asio::awaitable<bool> Connection::open() {
    if (!channel_.secure()) co_return true;
    channel_.wire().expires_after(shared_.limits.handshake_time_max);
    idle_ = true;  // nothing is lost by closing it
    const auto opened = co_await channel_.open();
    idle_ = false;
    if (opened != Channel::Opened::spoke_plainly) co_return opened == Channel::Opened::yes;
    const auto page = serialize(shared_.refusal_page({400, "this port speaks TLS only: use https"}), false, false);
    channel_.wire().expires_after(shared_.limits.linger_time_max);
    co_await channel_.write_raw(asio::buffer(page));
    co_return false;
}

// A server that stops answers what has come and waits for nothing more: stop() found this connection at work and has
// not ended it.
asio::awaitable<void> Connection::serve_all() {
    whole_ = true;
    bool more = true;
    while (more && !(shared_.stopping && buffer_.size() == 0)) more = co_await serve_one();
}

void Connection::close_if_idle() {
    if (!idle_) return;
    if (channel_.secure())
        channel_.cancel();
    else
        close();
}

void Connection::close() {
    if (caller_) caller_->leave();
    channel_.close();
}

asio::awaitable<bool> Connection::serve_one() {
    std::size_t head_bytes = 0;
    auto refusal = co_await read_head(head_bytes);
    if (refusal) co_return co_await refuse(std::move(*refusal));
    Request request;
    Parser parser(shared_);
    refusal = parse_head(head_bytes, parser, request);
    if (refusal) co_return co_await refuse(std::move(*refusal));
    bool keep_alive = parser.parser.get().keep_alive();
    old_ = parser.parser.get().version() < 11;
    auto planned = plan_body(request, parser);
    if (!planned) co_return co_await turn_down(planned.error());
    refusal = co_await read_body(parser);
    if (refusal) co_return co_await refuse(std::move(*refusal));
    request.body = std::move(parser.parser.get().body().memory);
    request.body_file = std::move(parser.parser.get().body().file);
    Response response = co_await answer(request);
    keep_alive = keep_alive && !response.close && !shared_.stopping && !(response.stream && old_);
    whole_ = false;
    co_await send(std::move(response), keep_alive, request);
    whole_ = true;
    co_return keep_alive && !request.caller->gone();
}

// Waits for a whole head in buffer_; a slow sender has head_time_max for all of it.
asio::awaitable<std::optional<Refusal>> Connection::read_head(std::size_t& head_bytes) {
    if (buffer_.size() == 0) {
        if (buffer_.capacity() > idle_bytes) buffer_.shrink_to_fit();  // large ones are not kept by idle connections
        idle_ = true;
        channel_.wire().expires_after(shared_.limits.idle_time_max);
        co_await read_some(read_bytes / 16);
        idle_ = false;
    }
    channel_.wire().expires_after(shared_.limits.head_time_max);
    std::size_t seen = 0;
    for (;;) {
        // An empty line before a request is an old client's slip and is overlooked (RFC 9112, 2.2).
        if (seen == 0 && view(buffer_).starts_with("\r\n")) buffer_.consume(2);
        auto bytes = view(buffer_);
        auto from = seen > 3 ? seen - 3 : 0;
        auto end = bytes.find("\r\n\r\n", from);
        if (has_bare_line_feed(bytes.substr(0, end)))
            co_return Refusal{400, "lines must end with carriage return and line feed"};
        seen = bytes.size();
        head_bytes = end == std::string_view::npos ? 0 : end + 4;
        if (std::max(head_bytes, head_bytes ? 0 : seen) > shared_.limits.head.head_bytes_max) {
            const bool in_request_line = bytes.find("\r\n") == std::string_view::npos;
            if (in_request_line) co_return Refusal{414, "the request target is too long"};
            co_return Refusal{431, "the request's headers are too large"};
        }
        if (head_bytes) co_return std::nullopt;
        co_await read_some(read_bytes / 16);
    }
}

std::optional<Refusal> Connection::parse_head(std::size_t head_bytes, Parser& state, Request& request) {
    auto head = view(buffer_).substr(0, head_bytes);
    if (auto refusal = check_head(head, shared_.limits.head)) return refusal;
    error_code code;
    auto& parser = state.parser;
    parser.eager(false);  // stop behind the head
    buffer_.consume(parser.put(asio::buffer(head.data(), head.size()), code));
    if (code) return body_refusal(code, parser.get().body());
    ROOTSTOCK_CHECK(parser.is_header_done(), "the parser and the head check disagree about a head's end");
    parser.eager(true);
    const auto& message = parser.get();
    auto target = parse_target(text(message.target()));
    if (!target) return target.error();
    request.method = text(message.method_string());
    request.path = std::move(target->path);
    request.segments = std::move(target->segments);
    request.query = std::move(target->query);
    for (const auto& field : message) request.headers.push_back({text(field.name_string()), text(field.value())});
    request.peer = peer_;
    request.received = monotonic_seconds();
    return std::nullopt;
}

// Where the body goes and how large it may be, before a byte of it is taken.
std::expected<void, Response> Connection::plan_body(const Request& request, Parser& state) {
    auto plan = shared_.plan_body ? shared_.plan_body(request) : BodyPlan{shared_.limits.body_bytes_max, {}};
    if (!plan) return std::unexpected(std::move(plan.error()));
    auto& store = state.parser.get().body();
    store.bytes_max = plan->bytes_max;
    auto announced = state.parser.content_length();
    if (announced && *announced > plan->bytes_max)
        return std::unexpected(shared_.refusal_page(too_large(plan->bytes_max)));
    if (plan->folder.empty() || state.parser.is_done()) return {};
    auto file = BodyFile::temporary(plan->folder);
    if (!file) {
        spdlog::error("a body cannot be kept: {}", file.error().message);
        return std::unexpected(
            shared_.refusal_page({503, "the server has no room for this body now; come back later"}));
    }
    store.file = std::make_shared<BodyFile>(std::move(*file));
    return {};
}

asio::awaitable<std::optional<Refusal>> Connection::read_body(Parser& state) {
    auto& parser = state.parser;
    if (parser.is_done()) co_return std::nullopt;
    const auto& limits = shared_.limits;
    auto expect = parser.get()[beast::http::field::expect];
    if (!expect.empty() && !same_name(text(expect), "100-continue"))
        co_return Refusal{417, "the only expectation met here is '100-continue'"};
    if (!expect.empty() && buffer_.size() == 0) co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    auto started = std::chrono::steady_clock::now();
    std::size_t received = 0;
    bool starved = buffer_.size() == 0;
    while (!parser.is_done()) {
        if (starved) {
            auto earned = std::chrono::milliseconds(received * 1000 / limits.body_bytes_per_second_min);
            channel_.wire().expires_at(started + limits.body_time_grace + earned);
            auto before = buffer_.size();
            co_await read_some(read_bytes);
            received += buffer_.size() - before;
            (parser.get().body().file ? state.spooled : state.share).add(buffer_.size() - before);
            if (shared_.bodies_bytes > limits.bodies_bytes_max || shared_.spooled_bytes > limits.spooled_bytes_max)
                co_return Refusal{503, "the server holds too many large requests now; come back in a moment"};
        }
        error_code code;
        buffer_.consume(parser.put(buffer_.data(), code));
        starved = code == beast::http::error::need_more || buffer_.size() == 0;
        if (code && code != beast::http::error::need_more) co_return body_refusal(code, parser.get().body());
        // Chunk heads and trailers are kept in the buffer until complete: they must stay small.
        if (starved && buffer_.size() > limits.head.head_bytes_max)
            co_return Refusal{400, "a chunk's head or trailer is too large"};
    }
    co_return std::nullopt;
}

asio::awaitable<Response> Connection::answer(Request& request) {
    channel_.wire().expires_never();  // the handler keeps its own deadline
    caller_ = request.caller;
    std::string fault;
    try {
        co_return co_await shared_.handler(request);
    } catch (const std::exception& thrown) {
        fault = thrown.what();
    }
    spdlog::error("handler: {}", fault);
    co_return shared_.refusal_page({500, "something went wrong here; the fault is logged"});
}

asio::awaitable<void> Connection::send(Response response, bool keep_alive, const Request& request) {
    const bool head_only = request.method == "HEAD", streamed = bool(response.stream);
    const auto end = !streamed ? BodyEnd::length : old_ ? BodyEnd::close : BodyEnd::chunked;
    auto head = serialize(response, keep_alive, head_only, end);
    if (streamed && !head_only)
        co_await stream(response, std::move(head), end == BodyEnd::chunked);
    else
        co_await write(std::move(head));
    if (response.body_file && !head_only) co_await write_file(*response.body_file);
    caller_ = nullptr;
}

// Where a producer's pieces go: onto the wire, a chunk each (RFC 9112, 7.1).
class Connection::Sink : public BodySink {
public:
    Sink(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

    Task<void> begin(std::string head) { return try_write(std::move(head)); }

    Task<bool> write(std::string piece) override {
        if (piece.empty()) co_return !gone();
        if (chunked_) piece = chunk(piece);
        co_await try_write(std::move(piece));
        co_return !gone();
    }

    Task<void> end() {
        if (chunked_) co_await try_write("0\r\n\r\n");
    }

private:
    static std::string chunk(std::string_view piece) {
        std::array<char, 20> head{};
        auto end = std::to_chars(head.data(), head.data() + head.size(), piece.size(), 16).ptr;
        return std::string(head.data(), end).append("\r\n").append(piece).append("\r\n");
    }

    // A write to who closed the connection succeeds once, so each looks first.
    Task<void> try_write(std::string bytes) {
        connection_.look();
        if (gone() || bytes.empty()) co_return;
        try {
            co_await connection_.write(std::move(bytes));
        } catch (const boost::system::system_error&) {
            connection_.caller_->leave();  // reset, or a reader that takes nothing
        }
    }

    bool gone() const { return connection_.caller_->gone(); }

    Connection& connection_;
    bool chunked_;
};

asio::awaitable<void> Connection::stream(const Response& response, std::string head, bool chunked) {
    Sink sink(*this, chunked);
    co_await sink.begin(std::move(head));
    co_await response.stream(sink);
    co_await sink.end();
}

// A caller that sent its last byte is in CLOSE_WAIT here, whatever it has sent before; one that reset is in CLOSE.
void Connection::look() {
    if (!caller_ || caller_->gone()) return;
    tcp_info info{};
    socklen_t size = sizeof(info);
    const bool known = ::getsockopt(channel_.socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    if (!known || info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_CLOSE) caller_->leave();
}

asio::awaitable<bool> Connection::refuse(Refusal refusal) {
    co_return co_await turn_down(shared_.refusal_page(refusal));
}

// The answer to a request whose body is not taken.
asio::awaitable<bool> Connection::turn_down(Response response) {
    co_await write(serialize(response, false, false));
    co_await linger();
    co_return false;
}

asio::awaitable<void> Connection::read_some(std::size_t bytes_max) {
    auto space = buffer_.prepare(bytes_max);
    auto count = co_await channel_.read_some(space);
    buffer_.commit(count);
}

// Every byte the reader takes buys it write_stall_max more.
asio::awaitable<void> Connection::write(std::string bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
        channel_.wire().expires_after(shared_.limits.write_stall_max);
        auto rest = asio::buffer(bytes.data() + sent, bytes.size() - sent);
        sent += co_await channel_.write_some(rest);
    }
}

// A file that turns out shorter than its announced length ends the connection: the peer must not take the rest for an
// answer.
asio::awaitable<void> Connection::write_file(const BodyFile& file) {
    for (std::uint64_t sent = 0; sent < file.size();) {
        std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, file.size() - sent)), '\0');
        auto got = file.read_at(sent, piece);
        if (!got || *got == 0) throw std::runtime_error("a stored file cannot be read to its end");
        piece.resize(*got);
        sent += *got;
        co_await write(std::move(piece));
    }
}

// Closing with unread bytes in the socket resets the connection and may swallow the answer: say that nothing more
// comes, then read on for a moment.
asio::awaitable<void> Connection::linger() {
    co_await channel_.farewell(shared_.limits.linger_time_max);
    whole_ = false;
    error_code code;
    channel_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, code);
    channel_.wire().expires_after(shared_.limits.linger_time_max);
    for (;;) {
        buffer_.clear();
        co_await channel_.read_raw(buffer_.prepare(read_bytes));  // ends by exception: end of stream or time-out
    }
}

}  // namespace rootstock::http
