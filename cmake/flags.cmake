# Compiler and linker flags that every target shares.
add_library(rootstock_flags INTERFACE)
target_compile_options(rootstock_flags INTERFACE -Wall -Wextra -Werror -Wimplicit-fallthrough -Wformat=2
                       -Wno-restrict  # false positives of GCC 12 on std::string (GCC bug 105329)
                       -fstack-protector-strong -fno-delete-null-pointer-checks)
target_compile_definitions(rootstock_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_USE_STD_STRING_VIEW)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(rootstock_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_compile_definitions(rootstock_flags INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(ROOTSTOCK_SANITIZE)
  target_compile_options(rootstock_flags INTERFACE -fsanitize=${ROOTSTOCK_SANITIZE} -fno-omit-frame-pointer -g1
                         -Wno-mismatched-new-delete)  # false positives of GCC 12 on coroutine frames of Asio
  target_link_options(rootstock_flags INTERFACE -fsanitize=${ROOTSTOCK_SANITIZE})
endif()
if(ROOTSTOCK_FUZZ)
  # Clang sees other things than GCC does, and knows fewer of its warnings: warnings are errors in the GCC presets.
  target_compile_options(rootstock_flags INTERFACE -Wno-error -Wno-unknown-warning-option -fno-omit-frame-pointer
                         -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  target_link_options(rootstock_flags INTERFACE -fsanitize=address,undefined)
endif()
target_link_options(rootstock_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
find_program(MOLD mold)
if(MOLD)
  target_link_options(rootstock_flags INTERFACE -fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
