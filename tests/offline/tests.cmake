# The shipped engine without Kafka: files in, statistics out, on a virtual clock; compared with the independent recount of tests/broker.
if(NOT DRYPORT_THREAD_SANITIZER)
    add_executable(offline ${CMAKE_SOURCE_DIR}/tests/offline/offline.c)
    target_link_libraries(offline PRIVATE proc_cmd sim_world)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    set(records 20000)
    if(DRYPORT_SANITIZE)
        set(records 6000)
    endif()
    add_test(NAME offline/recount COMMAND Python3::Interpreter -B ${CMAKE_SOURCE_DIR}/tests/offline/offline.py
        --dryport $<TARGET_FILE:dryport> --offline $<TARGET_FILE:offline> --count ${records})
    set_tests_properties(offline/recount PROPERTIES TIMEOUT 1800 LABELS offline)
endif()
