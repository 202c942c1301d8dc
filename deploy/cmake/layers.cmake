# A layer is a folder, and a target: all its .c files, and the layers below.
# Adding a file needs no edit here or anywhere.

function(zs_layer name folder)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    if(sources)
        add_library(${name} STATIC ${sources})
        target_link_libraries(${name} PUBLIC ${ARGN})
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${ARGN})
    endif()
endfunction()

function(zs_program name folder)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    if(sources)
        add_executable(${name} ${sources})
        target_link_libraries(${name} PRIVATE ${ARGN})
        zs_whole(${name})
        install(TARGETS ${name})
    endif()
endfunction()

# Files of a layer that this build does without.
function(zs_leave_out)
    set_source_files_properties(${ARGN} PROPERTIES HEADER_FILE_ONLY ON)
endfunction()
