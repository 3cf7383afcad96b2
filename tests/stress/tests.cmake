# Stress tests: plain programs, because Criterion does not run under ThreadSanitizer. stress_test(MODULE ROOM [ARGUMENT...]).
function(stress_test module room)
    add_executable(stress_${module} tests/stress/stress_${module}.c)
    target_link_libraries(stress_${module} PRIVATE proc_${room})
    add_test(NAME stress/${module} COMMAND stress_${module} ${ARGN})
    set_tests_properties(stress/${module} PROPERTIES TIMEOUT 300 LABELS stress)
endfunction()

stress_test(table base)
stress_test(ring base)
stress_test(engine flow ${CMAKE_SOURCE_DIR}/tests/data/reference)
target_sources(stress_engine PRIVATE tests/stress/shared.c tests/sim/story.c tests/sim/recount.c tests/sim/witness.c tests/sim/heir.c
    tests/sim/consumer.c)
target_link_libraries(stress_engine PRIVATE sim_world)
