# One interface target carries the warnings, the hardening and the sanitizers.
add_library(cordon_flags INTERFACE)
target_compile_options(cordon_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
  -Wformat=2 -Wpointer-arith -Wundef -Wvla -fno-common -fstack-protector-strong)
# One set of objects for the programs and for both forms of the library: position
# independent, and nothing visible outside but what cordon.h marks. (Hidden, calls
# among themselves are as direct as with -fPIE.)
target_compile_options(cordon_flags INTERFACE -fPIC -fvisibility=hidden)
if(CORDON_WERROR)
  target_compile_options(cordon_flags INTERFACE -Werror)
endif()

if(CORDON_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "CORDON_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang")
  endif()
  # The libraries count their branches; only the targets themselves get the driver.
  target_compile_options(cordon_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(CORDON_SANITIZE OR CORDON_FUZZ)
  target_compile_options(cordon_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cordon_flags INTERFACE -fsanitize=address,undefined)
  set(CORDON_STATIC OFF)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  # Undefined first: some distributions' compilers define it themselves.
  target_compile_options(cordon_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# Every launch is an exec of cordon, and the dynamic loader is a quarter of a
# small program's start: measured 587 us dynamic, 441 us static, 444 us static
# and position independent (median of 1000 spawns). So: static, and the 3 us
# for an address space that is laid out at random are paid.
function(cordon_link_program target)
  if(CORDON_STATIC)
    target_link_options(${target} PRIVATE -static-pie -Wl,-z,relro,-z,now)
  else()
    target_link_options(${target} PRIVATE -pie -Wl,-z,relro,-z,now)
  endif()
endfunction()
