# The deterministic simulation of the shipped engine: tests/sim/README.md.
if(NOT DRYPORT_THREAD_SANITIZER)
    add_executable(dryport_sim ${CMAKE_SOURCE_DIR}/tests/sim/sim.c ${CMAKE_SOURCE_DIR}/tests/sim/trial.c
        ${CMAKE_SOURCE_DIR}/tests/sim/weather.c ${CMAKE_SOURCE_DIR}/tests/sim/cluster.c ${CMAKE_SOURCE_DIR}/tests/sim/story.c
        ${CMAKE_SOURCE_DIR}/tests/sim/recount.c ${CMAKE_SOURCE_DIR}/tests/sim/witness.c ${CMAKE_SOURCE_DIR}/tests/sim/heir.c ${CMAKE_SOURCE_DIR}/tests/sim/consumer.c)
    target_link_libraries(dryport_sim PRIVATE proc_flags sim_world)
    target_compile_definitions(dryport_sim PRIVATE _DEFAULT_SOURCE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
    set(seeds 200)
    if(DRYPORT_SANITIZE)
        set(seeds 50)
    endif()
    add_test(NAME sim/slice COMMAND dryport_sim --seeds ${seeds} --jobs 2)
    add_test(NAME sim/same_seed_same_trace COMMAND dryport_sim --seeds 20 --from 5000 --twice --jobs 2)
    set_tests_properties(sim/slice sim/same_seed_same_trace PROPERTIES TIMEOUT 600 LABELS sim)
endif()
