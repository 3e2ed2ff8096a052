#pragma once
// api/openapi.yaml as JSON text, put into the program when it is built (cmake/contract.cmake).

#include <string_view>

namespace rootstock {

std::string_view openapi_document();

}  // namespace rootstock
