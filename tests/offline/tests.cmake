# The shipped engine without Kafka: files or scenarios in, statistics out, on a virtual clock. README.md says more.
if(NOT DRYPORT_THREAD_SANITIZER)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    add_library(offline_stage STATIC ${CMAKE_SOURCE_DIR}/tests/offline/stage.c ${CMAKE_SOURCE_DIR}/tests/offline/published.c
        ${CMAKE_SOURCE_DIR}/tests/offline/draft.c)
    target_link_libraries(offline_stage PUBLIC proc_cmd sim_world)
    add_executable(offline ${CMAKE_SOURCE_DIR}/tests/offline/offline.c ${CMAKE_SOURCE_DIR}/tests/offline/script.c
        ${CMAKE_SOURCE_DIR}/tests/offline/scenario.c ${CMAKE_SOURCE_DIR}/tests/offline/scenario_input.c ${CMAKE_SOURCE_DIR}/tests/offline/scenario_replay.c
        ${CMAKE_SOURCE_DIR}/tests/offline/scenario_expect.c)
    target_link_libraries(offline PRIVATE offline_stage)

    # compared with the independent recount of tests/broker
    set(records 8000)
    if(DRYPORT_SANITIZE)
        set(records 3000)
    endif()
    add_test(NAME offline/recount COMMAND Python3::Interpreter -B ${CMAKE_SOURCE_DIR}/tests/offline/offline.py
        --dryport $<TARGET_FILE:dryport> --offline $<TARGET_FILE:offline> --count ${records})
    set_tests_properties(offline/recount PROPERTIES TIMEOUT 1800 LABELS offline)

    # views by hour, of country groups and of trade classes in place of the nine; and growth from HS 2017 to HS 2022
    add_test(NAME offline/views COMMAND Python3::Interpreter -B ${CMAKE_SOURCE_DIR}/tests/offline/offline.py
        --dryport $<TARGET_FILE:dryport> --offline $<TARGET_FILE:offline> --count 1200 --only views --only editions)
    set_tests_properties(offline/views PROPERTIES TIMEOUT 900 LABELS offline)

    # a view by hour, recounted from the same file
    add_test(NAME offline/hours COMMAND Python3::Interpreter -B ${CMAKE_SOURCE_DIR}/tests/offline/hours.py
        --dryport $<TARGET_FILE:dryport> --offline $<TARGET_FILE:offline> --count 2000)
    set_tests_properties(offline/hours PROPERTIES TIMEOUT 900 LABELS offline)

    # the Korean set, shuffled and with a partition held back, recounted from the CSV alone
    add_test(NAME offline/korean COMMAND Python3::Interpreter -B ${CMAKE_SOURCE_DIR}/tests/offline/korean.py
        --offline $<TARGET_FILE:offline> --data ${CMAKE_SOURCE_DIR}/../shared/data)
    set_tests_properties(offline/korean PROPERTIES TIMEOUT 1800 LABELS offline SKIP_RETURN_CODE 77)

    # random streams in any way; more of them: make properties SEEDS=10000
    add_executable(properties ${CMAKE_SOURCE_DIR}/tests/offline/properties.c ${CMAKE_SOURCE_DIR}/tests/offline/stream.c
        ${CMAKE_SOURCE_DIR}/tests/offline/plain.c ${CMAKE_SOURCE_DIR}/tests/offline/kinship.c)
    target_link_libraries(properties PRIVATE offline_stage)
    set(seeds 48)
    if(DRYPORT_SANITIZE)
        set(seeds 24)
    endif()
    add_test(NAME offline/properties COMMAND properties -X reference.dir=${CMAKE_SOURCE_DIR}/tests/data/reference --seeds ${seeds})
    set_tests_properties(offline/properties PROPERTIES TIMEOUT 1800 LABELS offline)

    # one test a file; scripts/test_all.sh configures before it builds, so a new file is found
    file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/offline/scenarios/*.scenario)
    foreach(file IN LISTS scenarios)
        get_filename_component(name ${file} NAME_WE)
        add_test(NAME scenario/${name} COMMAND offline -X reference.dir=tests/data/reference ${file})
        set_tests_properties(scenario/${name} PROPERTIES TIMEOUT 300 LABELS offline WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    endforeach()
    add_test(NAME scenario_wrong COMMAND offline -X reference.dir=tests/data/reference tests/offline/wrong.scenario)
    set_tests_properties(scenario_wrong PROPERTIES TIMEOUT 300 LABELS offline WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
        PASS_REGULAR_EXPRESSION "wrong.scenario: 23 expectations do not hold")
endif()
