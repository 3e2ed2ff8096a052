#include "http/server/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>

#include "http/server/tls_state.h"

namespace rootstock::http {
namespace {

// TLS 1.2 only with these; the suites of TLS 1.3 are all sound.
constexpr const char* suites_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view protocol = "\x08http/1.1";  // as ALPN writes it, its length in front

// RFC 7301, 3.2: no protocol in common is a fatal alert.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    unsigned char* found = nullptr;
    const auto* ours = reinterpret_cast<const unsigned char*>(protocol.data());
    const int outcome =
        SSL_select_next_proto(&found, chosen_size, ours, static_cast<unsigned>(protocol.size()), offered, offered_size);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Never asks at a terminal: a server starts and reloads alone.
int no_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::unexpected<Error> refused(const std::filesystem::path& file, const std::string& what, const char* param) {
    ERR_clear_error();
    return fail(ErrorCode::invalid_argument, file.string() + " " + what, param);
}

Result<void> check_readable(const std::filesystem::path& file, const char* param) {
    if (::access(file.c_str(), R_OK) == 0) return {};
    return refused(file, "cannot be read: give a file that exists and that this user may read", param);
}

// While it lives, a password is refused and the wish noted. Asio takes what it finds there later for its own.
class NoPassword {
public:
    explicit NoPassword(SSL_CTX* context) : context_(context) {
        SSL_CTX_set_default_passwd_cb(context_, no_password);
        SSL_CTX_set_default_passwd_cb_userdata(context_, &asked_);
    }
    ~NoPassword() {
        SSL_CTX_set_default_passwd_cb(context_, nullptr);
        SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
    }
    NoPassword(const NoPassword&) = delete;
    NoPassword& operator=(const NoPassword&) = delete;
    bool asked() const { return asked_; }

private:
    SSL_CTX* context_;
    bool asked_ = false;
};

Result<void> load_files(SSL_CTX* context, const TlsFiles& files) {
    ROOTSTOCK_CHECKED(check_readable(files.certificate, "tls-certificate"));
    ROOTSTOCK_CHECKED(check_readable(files.key, "tls-key"));
    NoPassword password(context);
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
        return refused(files.certificate, "holds no certificate: give a PEM file, the server's certificate first",
                       "tls-certificate");
    const bool loaded = SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (password.asked()) return refused(files.key, "is encrypted: store the key without a password", "tls-key");
    const auto reason = ERR_GET_REASON(ERR_peek_last_error());
    if (!loaded && reason == X509_R_KEY_VALUES_MISMATCH)
        return refused(files.key, "is not the key of " + files.certificate.string(), "tls-key");
    if (!loaded) return refused(files.key, "holds no private key: give a PEM file", "tls-key");
    if (SSL_CTX_check_private_key(context) == 1) return {};
    return refused(files.key, "is not the key of " + files.certificate.string(), "tls-key");
}

void harden(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no record buffers
    ROOTSTOCK_CHECK(SSL_CTX_set_cipher_list(context, suites_of_1_2) == 1, "OpenSSL knows none of our cipher suites");
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

}  // namespace

Result<std::shared_ptr<const Tls>> Tls::load(const TlsFiles& files) {
    auto state = std::make_unique<State>();
    auto* context = state->context.native_handle();
    harden(context);
    ROOTSTOCK_CHECKED(load_files(context, files));
    return std::make_shared<const Tls>(std::move(state));
}

std::string Tls::valid_until() const {
    const auto* certificate = SSL_CTX_get0_certificate(state_->context.native_handle());
    std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
    ASN1_TIME_print(text.get(), X509_get0_notAfter(certificate));
    std::array<char, 64> bytes{};
    const int size = BIO_read(text.get(), bytes.data(), static_cast<int>(bytes.size()));
    return {bytes.data(), static_cast<std::size_t>(std::max(size, 0))};
}

bool Tls::expired() const {
    return X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(state_->context.native_handle()))) < 0;
}

Tls::Tls(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tls::~Tls() = default;

}  // namespace rootstock::http
