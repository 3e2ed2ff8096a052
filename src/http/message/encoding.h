#pragma once
// Content codings of answers (RFC 9110, 8.4 and 12.5.3): gzip (RFC 1952) for who wants it.

#include <string>
#include <string_view>

#include "http/message/message.h"

namespace rootstock::http {

// Does this Accept-Encoding prefer gzip to the plain bytes? "gzip;q=0" forbids it, "*" stands for what is not named,
// a plain answer that is named with a higher weight is preferred. What is malformed asks for nothing.
bool prefers_gzip(std::string_view accept_encoding);

// One gzip member without a name or a time: the same bytes give the same bytes.
std::string gzip(std::string_view bytes);

// Is it worth packing? Texts and JSON are; events that must arrive one by one, files on disk and what is packed
// already are not.
bool may_be_packed(const Response& response);

// Packs the body and says so. An entity tag gets another name, since the bytes are others: "x" becomes "x-gzip".
void pack(Response& response, std::string packed);

// Adds `name` to the Vary header, once.
void vary_by(Response& response, std::string_view name);

}  // namespace rootstock::http
