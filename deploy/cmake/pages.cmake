# Builds the files of a folder into a target, as the table that
# edge/shell/http_pages.h declares. Run as a script (-P) it writes that table.

if(CMAKE_SCRIPT_MODE_FILE)
    set(table "")
    set(count 0)
    file(WRITE ${OUT}.new "#include \"edge/shell/http_pages.h\"\n")
    file(GLOB pages ${FOLDER}/*)
    foreach(page ${pages})
        get_filename_component(name ${page} NAME)
        file(SIZE ${page} size)
        file(READ ${page} hex HEX)
        string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
        file(APPEND ${OUT}.new
             "static const unsigned char page${count}[] = {${bytes}};\n")
        string(APPEND table "    {\"${name}\", page${count}, ${size}},\n")
        math(EXPR count "${count} + 1")
    endforeach()
    file(APPEND ${OUT}.new
         "const struct http_page http_pages[] = {\n${table}    {0}};\n")
    file(RENAME ${OUT}.new ${OUT})
    return()
endif()

set(ZS_PAGES_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(zs_pages target folder)
    file(GLOB pages CONFIGURE_DEPENDS ${folder}/*)
    set(out ${PROJECT_BINARY_DIR}/generated/http_pages.c)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out}
                -DFOLDER=${PROJECT_SOURCE_DIR}/${folder} -P ${ZS_PAGES_SCRIPT}
        DEPENDS ${pages} ${ZS_PAGES_SCRIPT}
        COMMENT "Building in ${folder}")
    target_sources(${target} PRIVATE ${out})
endfunction()
