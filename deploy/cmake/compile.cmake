# How every file is compiled and every program linked: the warnings, what the
# ZS_ options add, and what hardens a release.

add_compile_definitions(_GNU_SOURCE ZS_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wcast-qual -Wvla
    -Wundef -Wwrite-strings -Wformat=2)
if(ZS_WERROR)
    add_compile_options(-Werror)
    add_link_options(-Werror) # what the whole shows
endif()

include(CheckPIESupported)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported(LANGUAGES C)

if(NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
    find_program(CCACHE ccache)
    if(CCACHE)
        set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
    endif()
endif()

if(ZS_SANITIZE AND ZS_TSAN)
    message(FATAL_ERROR "ZS_SANITIZE and ZS_TSAN exclude each other")
endif()
if(ZS_FUZZ AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "ZS_FUZZ needs clang: -DCMAKE_C_COMPILER=clang")
endif()
if(ZS_ANALYZE AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ZS_ANALYZE needs gcc; clang's analyzer is in tidy")
endif()

if(ZS_SANITIZE)
    add_compile_options(
        -fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()
if(ZS_TSAN)
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
endif()
if(ZS_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
if(ZS_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(ZS_ANALYZE)
    add_compile_options(-fanalyzer)
endif()

# A sanitizer wants to see the mistake itself, not what a guard makes of it.
if(NOT (ZS_SANITIZE OR ZS_TSAN OR ZS_COVERAGE OR ZS_FUZZ))
    add_compile_options(
        -fstack-protector-strong -fstack-clash-protection
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
        $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
    add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

# What is shipped is optimized as a whole, which spares a quarter of what a small
# message costs; the tests link the same objects as they are, which is quick.
define_property(TARGET PROPERTY ZS_WHOLE)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug"
   AND NOT (ZS_SANITIZE OR ZS_TSAN OR ZS_COVERAGE OR ZS_ANALYZE))
    add_compile_options(-flto=auto -ffat-lto-objects)
    add_link_options(
        $<IF:$<BOOL:$<TARGET_PROPERTY:ZS_WHOLE>>,-flto=auto,-fno-lto>)
endif()
function(zs_whole target)
    set_target_properties(${target} PROPERTIES ZS_WHOLE ON)
endfunction()
