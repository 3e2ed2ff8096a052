#pragma once
// SIGHUP: the settings are read anew under the running server.
//
// What may change takes effect at once and no connection is dropped; the log says what changed and what needs a
// restart. A file or a certificate that is faulty changes nothing at all, and the log says why. The certificate is read
// anew even where its name is the old one: that is how a renewed one comes in.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>

#include "app/wiring/services.h"

namespace rootstock {

// Warns of one that has expired. Errors as http::Tls::load.
Result<std::shared_ptr<const http::Tls>> load_certificate(const http::TlsFiles& files);

// "error", "warning", "info", "debug"; any thread may be logging meanwhile.
void set_log_level(const std::string& level);

class Reloader {
public:
    Reloader(boost::asio::io_context& io, Services& services, http::Server& server, SettingsSource source);
    void stop() { signals_.cancel(); }

private:
    void wait();
    Result<void> reload();
    void apply(ServeSettings fresh);

    boost::asio::signal_set signals_;
    Services& services_;
    http::Server& server_;
    SettingsSource source_;
};

}  // namespace rootstock
