# Lints: what a compiler does not check. Each names the file, the line and the mend; lint/self shows that each can fail.
function(lint_test name)
    add_test(NAME lint/${name} COMMAND ${ARGN})
    set_tests_properties(lint/${name} PROPERTIES TIMEOUT 120 LABELS lint SKIP_RETURN_CODE 77)
endfunction()

foreach(lint rooms edges banned heads format cases)
    lint_test(${lint} ${CMAKE_SOURCE_DIR}/tests/lint/${lint}.sh ${CMAKE_SOURCE_DIR})
endforeach()
lint_test(self ${CMAKE_SOURCE_DIR}/tests/lint/self.sh)
lint_test(rules ${CMAKE_SOURCE_DIR}/tests/lint/rules.sh $<TARGET_FILE:print_rules> ${CMAKE_SOURCE_DIR})
if(TARGET dryport)
    lint_test(commands ${CMAKE_SOURCE_DIR}/tests/lint/commands.sh $<TARGET_FILE:dryport> ${CMAKE_SOURCE_DIR} README.md docs/OPERATIONS.md docs/REPORT.md)
endif()
if(TARGET dryport AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT DRYPORT_SANITIZE)
    # Of the release preset, whose tests are those labelled unit, bench and broker.
    lint_test(hardened ${CMAKE_SOURCE_DIR}/tests/lint/hardened.sh $<TARGET_FILE:dryport>)
    set_tests_properties(lint/hardened PROPERTIES LABELS unit)
endif()
