#pragma once
// A multipart form with one file: its fields, and the file on its way into the blobs.

#include <optional>

#include "app/routes/text_fields.h"
#include "http/http.h"
#include "store/store.h"

namespace rootstock {

struct FormFile {
    std::string filename;
    store::NewBlob blob;
};

struct Form {
    std::vector<http::Header> fields;
    std::optional<FormFile> file;
};

// Reads the request's body (in memory or on disk); `file_field` names the part that is the file. Blocks for the disk:
// not for the I/O thread. invalid_argument: malformed, a field of more than 64 KiB; 415 when it is no form.
Result<Form> read_form(const http::Request& request, std::string_view file_field, const store::Blobs& blobs);

}  // namespace rootstock
