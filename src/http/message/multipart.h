#pragma once
// multipart/form-data (RFC 7578, on RFC 2046's multipart): the body browsers and client libraries send files in. Read
// piece by piece, so that a file of any size passes through a few kilobytes of memory:
//
//   body      := "--" boundary CRLF part *(CRLF "--" boundary CRLF part) CRLF "--" boundary "--" [CRLF anything]
//   part      := headers CRLF CRLF data          data never holds CRLF "--" boundary
//   headers   := Content-Disposition: form-data; name="..." [; filename="..."], and others, which are passed over
//
// A preamble, nested multiparts and transfer encodings are refused: nobody sends them, and they hide things.

#include <optional>
#include <string>
#include <string_view>

#include "http/message/head.h"

namespace rootstock::http {

struct MultipartLimits {
    std::size_t parts_max = 32;
    std::size_t part_head_bytes_max = 8 * 1024;
};

struct PartHead {
    std::string name;
    std::optional<std::string> filename;  // as sent; a name to show, never a path to open
    std::string content_type;             // empty when the part has none
};

// Hears the parts in their order. What it returns ends the reading.
class PartSink {
public:
    virtual ~PartSink() = default;
    virtual std::optional<Refusal> begin(const PartHead& head) = 0;
    virtual std::optional<Refusal> data(std::string_view bytes) = 0;  // of the part begun last
    virtual std::optional<Refusal> end() = 0;
};

// The boundary a Content-Type names (RFC 2046: 1 to 70 characters). 415 when it is no multipart/form-data.
Accepted<std::string> boundary_of(std::string_view content_type);

class MultipartReader {
public:
    MultipartReader(const std::string& boundary, MultipartLimits limits, PartSink& sink);

    std::optional<Refusal> add(std::string_view piece);
    std::optional<Refusal> finish();  // the closing delimiter must have come

private:
    enum class State { start, after_delimiter, head, data, done };

    std::optional<Refusal> step(bool& more);
    std::optional<Refusal> read_start(bool& more);
    std::optional<Refusal> read_after_delimiter(bool& more);
    std::optional<Refusal> read_head(bool& more);
    std::optional<Refusal> read_data(bool& more);

    std::string delimiter_;  // CRLF "--" boundary
    MultipartLimits limits_;
    PartSink& sink_;
    State state_ = State::start;
    std::string buffer_;
    std::size_t parts_ = 0;
    bool begun_ = false;  // nothing of the part's data has passed yet
};

}  // namespace rootstock::http
