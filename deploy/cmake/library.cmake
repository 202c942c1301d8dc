# libzeroservices: the node as a shared library, with what other builds need to
# find it: a pkg-config file and a CMake package.

include(CMakePackageConfigHelpers)

file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/edge/lib/*.c)
set(map ${PROJECT_SOURCE_DIR}/edge/lib/zeroservices.map)
find_package(Threads REQUIRED)
add_library(zeroservices SHARED ${sources})
target_link_libraries(zeroservices PRIVATE edge_shell Threads::Threads)
target_compile_options(zeroservices PRIVATE -fvisibility=hidden)
target_link_options(zeroservices PRIVATE
    -Wl,--version-script=${map} -Wl,--as-needed)
zs_whole(zeroservices)
target_include_directories(zeroservices INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/edge/lib>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(zeroservices PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${map})

# The examples are built as a user's program is: with the header and -l alone.
file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/edge/examples/*.c)
foreach(source ${examples})
    get_filename_component(name ${source} NAME_WE)
    add_executable(example_${name} ${source})
    target_link_libraries(example_${name} PRIVATE zeroservices)
    set_target_properties(example_${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples
        OUTPUT_NAME ${name})
endforeach()

# The pkg-config file finds its prefix from where it lies, so that the tree can
# be moved.
file(RELATIVE_PATH PC_TO_PREFIX
     /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/zeroservices)
foreach(file zeroservices.pc zeroservicesConfig.cmake)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/${file}.in
                   ${PROJECT_BINARY_DIR}/deploy/${file} @ONLY)
endforeach()
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/deploy/zeroservicesConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(TARGETS zeroservices EXPORT zeroservices)
install(EXPORT zeroservices DESTINATION ${package}
        FILE zeroservicesTargets.cmake)
install(FILES ${PROJECT_BINARY_DIR}/deploy/zeroservicesConfig.cmake
              ${PROJECT_BINARY_DIR}/deploy/zeroservicesConfigVersion.cmake
        DESTINATION ${package})
install(FILES ${PROJECT_BINARY_DIR}/deploy/zeroservices.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/edge/lib/zeroservices.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/edge/man/zeroservices.3
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/edge/examples
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
