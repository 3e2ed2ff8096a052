# Puts api/openapi.yaml into the program: YAML to JSON, JSON to a C++ file in the build folder (app/contract/document.h).
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(contract_source ${CMAKE_BINARY_DIR}/generated/openapi_document.cpp)
add_custom_command(
  OUTPUT ${contract_source}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/embed-openapi ${CMAKE_SOURCE_DIR}/api/openapi.yaml ${contract_source}
  DEPENDS ${CMAKE_SOURCE_DIR}/api/openapi.yaml ${CMAKE_SOURCE_DIR}/scripts/embed-openapi
  VERBATIM)
target_sources(rootstock_app PRIVATE ${contract_source})
