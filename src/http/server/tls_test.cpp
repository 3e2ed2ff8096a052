// The listener under TLS, from outside: an OpenSSL client over the loopback.

#include "http/server/tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "http/server/server.h"
#include "http/server/test_wire.h"

namespace rootstock::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

Owned<EVP_PKEY> new_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

// A self-signed certificate for `name`, valid from an hour ago for `seconds` from now.
Owned<X509> certificate_of(EVP_PKEY* key, const std::string& name, long seconds) {
    Owned<X509> made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds);
    X509_set_pubkey(made.get(), key);
    auto* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_sign(made.get(), key, EVP_sha256());
    return made;
}

class TlsTest : public testing::Test {
protected:
    TlsTest() {
        std::string name = (fs::temp_directory_path() / "rootstock-tls-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~TlsTest() override { fs::remove_all(folder_); }

    // NAME.crt and NAME.key in the folder.
    TlsFiles make(const std::string& name, long seconds = 3600, const char* password = nullptr) {
        TlsFiles files{folder_ / (name + ".crt"), folder_ / (name + ".key")};
        auto key = new_key();
        auto certificate = certificate_of(key.get(), name, seconds);
        std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(files.certificate.c_str(), "w"), std::fclose);
        PEM_write_X509(out.get(), certificate.get());
        out.reset(std::fopen(files.key.c_str(), "w"));
        const auto* cipher = password ? EVP_aes_128_cbc() : nullptr;
        PEM_write_PrivateKey(out.get(), key.get(), cipher, nullptr, 0, nullptr, const_cast<char*>(password));
        return files;
    }

    void start(const TlsFiles& files, ServerLimits limits = {}) {
        auto handler = [this](Request& request) { return answer(request); };
        auto page = [](const Refusal& refusal) {
            Response response;
            response.status = refusal.status;
            response.body = refusal.sentence;
            return response;
        };
        server_ = std::make_unique<Server>(io_, limits, handler, page);
        server_->use_tls(Tls::load(files).value());
        ASSERT_TRUE(server_->listen("127.0.0.1:0"));
        thread_ = std::thread([this] { io_.run(); });
    }

    asio::awaitable<Response> answer(Request& request) {
        Response response;
        response.content_type = "text/plain";
        response.body = request.path == "/echo" ? request.body : request.path;
        if (request.path == "/big") response.body.assign(5'000'000, 'x');
        if (request.path == "/slow") {
            asio::steady_timer timer(io_, milliseconds(200));
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (request.path == "/torn")
            response.stream = [](BodySink& sink) -> asio::awaitable<void> {
                co_await sink.write("half");
                throw std::runtime_error("on purpose");
            };
        if (request.path == "/stop")
            response.stream = [this](BodySink& sink) -> asio::awaitable<void> {
                co_await sink.write("whole");
                server_->stop([] {});
            };
        co_return response;
    }

    void TearDown() override {
        asio::post(io_, [this] { io_.stop(); });
        if (thread_.joinable()) thread_.join();
    }

    void on_server(std::function<void()> work) {
        std::promise<void> done;
        asio::post(io_, [&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    fs::path folder_;
    asio::io_context io_{1};
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

// A client of the test's own, that trusts everybody.
class TlsWire {
public:
    explicit TlsWire(const std::string& address, int version = TLS1_3_VERSION, const std::string& alpn = "")
        : wire_(address), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        SSL_CTX_set_min_proto_version(context_.get(), version);
        SSL_CTX_set_max_proto_version(context_.get(), version);
        SSL_CTX_set_security_level(context_.get(), 0);
        ssl_.reset(SSL_new(context_.get()));
        const std::string list = std::string(1, static_cast<char>(alpn.size())) + alpn;
        if (!alpn.empty())
            SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(list.data()),
                                static_cast<unsigned>(list.size()));
        SSL_set_fd(ssl_.get(), wire_.socket());
        opened_ = SSL_connect(ssl_.get()) == 1;
        ERR_clear_error();
    }

    bool opened() const { return opened_; }
    bool send(std::string_view bytes) {
        return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
    }
    std::string read_until(std::string_view end) {
        std::string all;
        char c;
        while (!all.ends_with(end) && SSL_read(ssl_.get(), &c, 1) == 1) all.push_back(c);
        return all;
    }
    // Everything until the server says good-bye, and whether it did.
    std::string read_all() {
        std::string all;
        char piece[4096];
        for (int n; (n = SSL_read(ssl_.get(), piece, sizeof piece)) > 0;)
            all.append(piece, static_cast<std::size_t>(n));
        ended_well_ = (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
        ERR_clear_error();
        return all;
    }
    void say_good_bye() { SSL_shutdown(ssl_.get()); }
    void shut_sending() { wire_.shut_sending(); }
    bool ended_well() const { return ended_well_; }
    std::string protocol() const {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }
    std::string peer_name() const {
        Owned<X509> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
        char name[64] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
        return name;
    }

private:
    Wire wire_;
    Owned<SSL_CTX> context_;
    Owned<SSL> ssl_{nullptr, SSL_free};
    bool opened_ = false, ended_well_ = false;
};

constexpr const char* get = "GET /path HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* last = "GET /path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

TEST_F(TlsTest, AnswersUnderBothVersions) {
    start(make("a"));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsWire wire(server_->address(), version, "http/1.1");
        ASSERT_TRUE(wire.opened());
        EXPECT_EQ(wire.protocol(), "http/1.1");
        ASSERT_TRUE(wire.send(get));
        EXPECT_TRUE(wire.read_until("/path").starts_with("HTTP/1.1 200 "));
        ASSERT_TRUE(wire.send(last));
        EXPECT_TRUE(wire.read_all().ends_with("\r\n\r\n/path"));
        EXPECT_TRUE(wire.ended_well());
    }
}

TEST_F(TlsTest, RefusesOldVersionsAndOtherProtocols) {
    start(make("a"));
    EXPECT_FALSE(TlsWire(server_->address(), TLS1_VERSION).opened());
    EXPECT_FALSE(TlsWire(server_->address(), TLS1_1_VERSION).opened());
    EXPECT_FALSE(TlsWire(server_->address(), TLS1_3_VERSION, "h2").opened());
    EXPECT_TRUE(TlsWire(server_->address(), TLS1_3_VERSION).opened());  // no ALPN at all
}

TEST_F(TlsTest, LargeBodiesAndPipelinedRequestsPass) {
    start(make("a"));
    TlsWire wire(server_->address());
    const std::string body(300'000, 'b');
    ASSERT_TRUE(wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body + get +
                          "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    const auto all = wire.read_all();
    EXPECT_NE(all.find(body + "HTTP/1.1 200 "), std::string::npos);
    EXPECT_TRUE(all.ends_with(std::string(5'000'000, 'x')));
    EXPECT_TRUE(wire.ended_well());
}

TEST_F(TlsTest, ARefusalArrivesThoughMoreWasSent) {
    start(make("a"));
    TlsWire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /a HTTP/1.1\nHost: a\n\n" + std::string(100'000, 'z')));
    EXPECT_TRUE(wire.read_all().starts_with("HTTP/1.1 400 "));
}

TEST_F(TlsTest, WhoSpeaksPlainlyIsToldSo) {
    start(make("a"));
    Wire wire(server_->address());
    wire.send(get);
    const auto all = wire.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
    EXPECT_NE(all.find("TLS"), std::string::npos);
}

TEST_F(TlsTest, AHandshakeIsBoundedInTime) {
    ServerLimits limits;
    limits.handshake_time_max = milliseconds(200);
    start(make("a"), limits);
    Wire silent(server_->address()), halfway(server_->address());
    halfway.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(silent.read_all(), "");
    EXPECT_EQ(halfway.read_all(), "");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
}

TEST_F(TlsTest, NewKeysAreForNewConnections) {
    start(make("old"));
    TlsWire before(server_->address());
    EXPECT_EQ(before.peer_name(), "old");
    auto fresh = Tls::load(make("new")).value();
    on_server([&] { server_->use_tls(fresh); });
    TlsWire after(server_->address());
    EXPECT_EQ(after.peer_name(), "new");
    ASSERT_TRUE(before.send(last));  // what is open goes on
    EXPECT_TRUE(before.read_all().ends_with("/path"));
    ASSERT_TRUE(after.send(last));
    EXPECT_TRUE(after.read_all().ends_with("/path"));
}

TEST_F(TlsTest, AnAnswerThatBreaksOffHasNoGoodBye) {
    start(make("a"));
    TlsWire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /torn HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(wire.read_all().ends_with("half"));
    EXPECT_FALSE(wire.ended_well());
}

TEST_F(TlsTest, StoppingSaysGoodByeToIdleConnections) {
    start(make("a"));
    TlsWire wire(server_->address());
    ASSERT_TRUE(wire.send(get));
    wire.read_until("/path");
    on_server([&] { server_->stop([] {}); });
    EXPECT_EQ(wire.read_all(), "");
    EXPECT_TRUE(wire.ended_well());
}

// The head has promised to keep the connection, and stop() has found it at work: it was left waiting for the next head
// until the drain limit.
TEST_F(TlsTest, StoppingBehindAnAnswerEndsItsConnection) {
    start(make("a"));
    TlsWire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /stop HTTP/1.1\r\nHost: a\r\n\r\n"));
    const auto all = wire.read_all();
    EXPECT_EQ(all.find("Connection: close"), std::string::npos) << all;
    EXPECT_TRUE(all.ends_with("whole\r\n0\r\n\r\n")) << all;
    EXPECT_TRUE(wire.ended_well());
}

// Who will send no more, said by TLS, by TCP or by both, still reads.
TEST_F(TlsTest, AHalfClosedPeerGetsItsAnswer) {
    start(make("a"));
    for (const int way : {1, 2, 3}) {
        TlsWire wire(server_->address());
        ASSERT_TRUE(wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
        if (way & 1) wire.say_good_bye();
        if (way & 2) wire.shut_sending();
        const auto all = wire.read_all();
        EXPECT_TRUE(all.starts_with("HTTP/1.1 200 ")) << way << ": " << all;
        EXPECT_TRUE(all.ends_with("/slow")) << way << ": " << all;
        EXPECT_TRUE(wire.ended_well()) << way;
    }
}

TEST_F(TlsTest, SaysWhatIsWrongWithFiles) {
    const auto good = make("good"), other = make("other"), closed = make("closed", 3600, "secret");
    auto sentence = [](const TlsFiles& files) { return Tls::load(files).error().message; };
    EXPECT_NE(sentence({folder_ / "none", good.key}).find("none cannot be read"), std::string::npos);
    EXPECT_NE(sentence({good.certificate, folder_ / "none"}).find("none cannot be read"), std::string::npos);
    EXPECT_NE(sentence({good.key, good.key}).find("good.key holds no certificate"), std::string::npos);
    EXPECT_NE(sentence({good.certificate, good.certificate}).find("good.crt holds no private key"), std::string::npos);
    EXPECT_NE(sentence({good.certificate, other.key}).find("other.key is not the key of"), std::string::npos);
    EXPECT_NE(sentence({closed.certificate, closed.key}).find("closed.key is encrypted"), std::string::npos);
    std::ofstream(folder_ / "empty.crt");
    EXPECT_NE(sentence({folder_ / "empty.crt", good.key}).find("empty.crt holds no certificate"), std::string::npos);
}

TEST_F(TlsTest, TellsHowLongACertificateIsValid) {
    EXPECT_FALSE(Tls::load(make("fresh")).value()->expired());
    EXPECT_TRUE(Tls::load(make("stale", -60)).value()->expired());
    EXPECT_NE(Tls::load(make("fresh")).value()->valid_until().find("GMT"), std::string::npos);
}

}  // namespace
}  // namespace rootstock::http
