# Toolchain for 64-bit ARM Linux and Android: cmake --toolchain cmake/aarch64.cmake -DNAS_AGENT_ONLY=ON (see scripts/build-agent).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
find_program(NAS_QEMU_AARCH64 qemu-aarch64-static)
if(NAS_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${NAS_QEMU_AARCH64})
endif()
