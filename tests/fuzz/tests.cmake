# libFuzzer targets: README.md. fuzz_target(NAME LIBRARY...) builds tests/fuzz/fuzz_NAME.c, whose corpus is tests/fuzz/corpus/NAME.
set(fuzz_seconds 10)
function(fuzz_target name)
    add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE ${ARGN} proc_flags)
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(fuzz_${name} PRIVATE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/run.sh $<TARGET_FILE:fuzz_${name}> ${name} ${fuzz_seconds})
    set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 300 LABELS fuzz FIXTURES_REQUIRED fuzz_seeds)
endfunction()

add_library(fuzz_world STATIC ${CMAKE_SOURCE_DIR}/tests/sim/world.c ${CMAKE_SOURCE_DIR}/tests/sim/storm.c ${CMAKE_SOURCE_DIR}/tests/sim/host.c
    ${CMAKE_SOURCE_DIR}/tests/sim/sample.c)
target_link_libraries(fuzz_world PUBLIC proc_flow)
target_include_directories(fuzz_world PUBLIC ${CMAKE_SOURCE_DIR}/tests)

fuzz_target(wire proc_flow)
fuzz_target(envelope proc_flow)
fuzz_target(frame proc_flow)
fuzz_target(reader_rule proc_flow)
target_sources(fuzz_reader_rule PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/reader_model.c)
fuzz_target(rules proc_cmd)
fuzz_target(reference fuzz_world)
fuzz_target(config proc_cmd)
fuzz_target(map proc_cmd)
fuzz_target(statistic proc_flow)

# What the corpora are made from: corpus.sh.
add_executable(fuzz_seeds ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds.c)
target_link_libraries(fuzz_seeds PRIVATE proc_cmd fuzz_world)
target_compile_definitions(fuzz_seeds PRIVATE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
add_test(NAME fuzz/seeds COMMAND fuzz_seeds ${CMAKE_BINARY_DIR}/seeds)
set_tests_properties(fuzz/seeds PROPERTIES TIMEOUT 60 LABELS fuzz FIXTURES_SETUP fuzz_seeds)
