# One interface target carries the warnings, the hardening and the sanitizers.
add_library(cordon_flags INTERFACE)
target_compile_options(cordon_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
  -Wformat=2 -Wpointer-arith -Wundef -Wvla -fno-common -fstack-protector-strong)
if(CORDON_WERROR)
  target_compile_options(cordon_flags INTERFACE -Werror)
endif()

if(CORDON_SANITIZE)
  target_compile_options(cordon_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cordon_flags INTERFACE -fsanitize=address,undefined)
  set(CORDON_STATIC OFF)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_definitions(cordon_flags INTERFACE _FORTIFY_SOURCE=2)
endif()

function(cordon_link_program target)
  if(CORDON_STATIC)
    target_link_options(${target} PRIVATE -static)
    if(TARGET PkgConfig::JANSSON)
      set_property(TARGET ${target} PROPERTY LINK_SEARCH_START_STATIC ON)
      set_property(TARGET ${target} PROPERTY LINK_SEARCH_END_STATIC ON)
    endif()
  else()
    target_link_options(${target} PRIVATE -Wl,-z,relro,-z,now)
  endif()
endfunction()
