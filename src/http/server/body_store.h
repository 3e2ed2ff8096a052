#pragma once
// Where the bytes of a request's body go while they arrive: memory or a file, as planned, and never more than planned.
// Shaped as a Body of Beast (its reader fills value_type). Internal to http/.

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <memory>
#include <string>

#include "http/message/body_file.h"

namespace rootstock::http {

struct BodyStore {
    std::string memory;
    std::shared_ptr<BodyFile> file;  // takes the bytes when there is one
    std::size_t bytes_max = 0, bytes = 0;
    bool disk_refused = false;

    void put(std::string_view piece, boost::system::error_code& code) {
        if (piece.size() > bytes_max - bytes) {
            code = boost::beast::http::error::body_limit;
            return;
        }
        bytes += piece.size();
        if (!file) {
            memory.append(piece);
        } else if (!file->append(piece)) {
            disk_refused = true;
            code = boost::beast::http::error::buffer_overflow;
        }
    }
};

struct StoredBody {
    using value_type = BodyStore;

    class reader {
    public:
        template <bool is_request, typename Fields>
        reader(boost::beast::http::header<is_request, Fields>&, BodyStore& store) : store_(store) {}

        void init(const boost::optional<std::uint64_t>&, boost::system::error_code& code) { code = {}; }

        template <typename Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& code) {
            code = {};
            std::size_t taken = 0;
            for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers);
                 ++at) {
                boost::asio::const_buffer piece(*at);
                store_.put({static_cast<const char*>(piece.data()), piece.size()}, code);
                if (code) return taken;
                taken += piece.size();
            }
            return taken;
        }

        void finish(boost::system::error_code& code) { code = {}; }

    private:
        BodyStore& store_;
    };
};

}  // namespace rootstock::http
