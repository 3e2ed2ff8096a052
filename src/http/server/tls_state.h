#pragma once
// What a Tls is made of. Internal to http/.

#include <boost/asio/ssl/context.hpp>

#include "http/server/tls.h"

namespace rootstock::http {

struct Tls::State {
    mutable boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
};

}  // namespace rootstock::http
