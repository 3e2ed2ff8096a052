#pragma once
// A multipart form with one picture, small enough for memory.

#include <string>
#include <vector>

#include "base/base.h"
#include "http/http.h"

namespace rootstock {

struct PictureForm {
    std::vector<http::Header> fields;
    std::string picture;
};

// `file_field` names the part that is the picture. invalid_argument: malformed, none or two of them, a field of more
// than 1 KiB.
Result<PictureForm> read_picture_form(const http::Request& request, std::string_view file_field);

}  // namespace rootstock
