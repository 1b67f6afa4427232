# Warnings for our own code only; linked to every target that nas_add_module and nas_add_test make.
add_library(nas_warnings INTERFACE)
target_compile_options(nas_warnings INTERFACE -Wall -Wextra -Wconversion -Wno-sign-conversion)
if(NAS_WERROR)
  target_compile_options(nas_warnings INTERFACE -Werror)
endif()
