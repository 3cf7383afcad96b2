# Programs that print documents from the tables of proc/, and tests that fail when a document in the tree is stale.
# document(NAME PROGRAM ARGUMENT FILE)
function(document name program argument file)
    add_test(NAME document/${name}
        COMMAND sh -c "'$<TARGET_FILE:${program}>' ${argument} | diff -u '${CMAKE_SOURCE_DIR}/${file}' - || { echo '${file} is stale: write the output of ${program} ${argument} into it' >&2; exit 1; }")
    set_tests_properties(document/${name} PROPERTIES LABELS lint TIMEOUT 60)
endfunction()

add_executable(print_rules tests/tool/print_rules.c)
target_link_libraries(print_rules PRIVATE proc_trade)
document(rules print_rules "" docs/RULES.md)

if(NOT DRYPORT_THREAD_SANITIZER)
    foreach(tool print_config print_metrics)
        add_executable(${tool} tests/tool/${tool}.c)
        target_link_libraries(${tool} PRIVATE proc_ops)
    endforeach()
    document(configuration print_config manual docs/CONFIGURATION.md)
    document(sample print_config sample deploy/dryport.conf)
    document(metrics print_metrics "" docs/METRICS.md)
endif()
