#pragma once
// TLS for the listener (RFC 8446, RFC 5246): a certificate with its chain and its private key, from two PEM files.
//
// Offered are TLS 1.3, and TLS 1.2 with forward secrecy and authenticated encryption; nothing older, no renegotiation,
// no compression. ALPN (RFC 7301) chooses "http/1.1"; a client that offers only other protocols is refused.

#include <filesystem>
#include <memory>
#include <string>

#include "base/base.h"

namespace rootstock::http {

struct TlsFiles {
    std::filesystem::path certificate;  // PEM: the server's certificate first, then the chain
    std::filesystem::path key;          // PEM, not encrypted
};

class Tls {
public:
    // invalid_argument, with a sentence that names the file: it is missing or unreadable, is not PEM, holds an
    // encrypted key, or the key is not the certificate's.
    static Result<std::shared_ptr<const Tls>> load(const TlsFiles& files);

    std::string valid_until() const;  // the certificate's last instant, as it says it: "Nov 25 12:00:00 2027 GMT"
    bool expired() const;

    struct State;
    explicit Tls(std::unique_ptr<State> state);
    ~Tls();
    State& state() const { return *state_; }

private:
    std::unique_ptr<State> state_;
};

}  // namespace rootstock::http
