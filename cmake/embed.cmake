# embed(TARGET FILE NAME): makes NAME in the build folder, the bytes of FILE as C numbers, for an #include inside an array of TARGET.
# Run as a script (-P, with SOURCE and OUTPUT), it does the work.
if(CMAKE_SCRIPT_MODE_FILE)
    file(READ ${SOURCE} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," numbers "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" numbers "${numbers}")
    file(WRITE ${OUTPUT} "${numbers}\n")
    return()
endif()

function(embed target file name)
    set(output ${CMAKE_BINARY_DIR}/embedded/${name})
    set(source ${CMAKE_SOURCE_DIR}/${file})
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -DSOURCE=${source} -DOUTPUT=${output} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
    target_sources(${target} PRIVATE ${output})
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/embedded)
endfunction()
