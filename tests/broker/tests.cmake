# Tests against a real Kafka broker (scripts/kafka_broker.sh) from outside: the binary, an independent client, an independent
# recount. Each has ports and a folder of its own; they run one at a time because each loads the machine.
function(broker_test name)
    add_test(NAME broker/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/broker/run.sh ${ARGN})
    set_tests_properties(broker/${name} PROPERTIES TIMEOUT 1200 LABELS broker RUN_SERIAL ON)
endfunction()

add_test(NAME broker/recount COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/broker/test_recount.py)
add_test(NAME broker/steady COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/broker/test_steady.py)
set_tests_properties(broker/recount broker/steady PROPERTIES TIMEOUT 60 LABELS unit)

if(NOT DRYPORT_THREAD_SANITIZER)
    broker_test(korean ${CMAKE_SOURCE_DIR}/tests/broker/korean.py --dryport $<TARGET_FILE:dryport>)
    broker_test(verify ${CMAKE_SOURCE_DIR}/tests/broker/verify.py --dryport $<TARGET_FILE:dryport>)
    broker_test(processes ${CMAKE_SOURCE_DIR}/tests/broker/processes.py --dryport $<TARGET_FILE:dryport>)
    # Builds the image first, if its sources have changed: 105 s of CPU.
    broker_test(image ${CMAKE_SOURCE_DIR}/tests/broker/image.py)
    set_tests_properties(broker/image PROPERTIES TIMEOUT 2400)
    broker_test(rolling ${CMAKE_SOURCE_DIR}/tests/broker/rolling.py --dryport $<TARGET_FILE:dryport>)
    broker_test(bad_input ${CMAKE_SOURCE_DIR}/tests/broker/bad_input.py --dryport $<TARGET_FILE:dryport>)
    # A slice of what `make chaos` does for 20 minutes.
    broker_test(chaos ${CMAKE_SOURCE_DIR}/tests/broker/chaos.py --dryport $<TARGET_FILE:dryport> --minutes 0.6 --seed 3)
    # What `make soak` does for 20 minutes at 50,000 a second; so short, it is about the totals alone.
    broker_test(soak ${CMAKE_SOURCE_DIR}/tests/broker/soak.py --dryport $<TARGET_FILE:dryport> --minutes 0.3 --rate 6000 --ids 4000)
    broker_test(statements ${CMAKE_SOURCE_DIR}/tests/broker/statements.py --dryport $<TARGET_FILE:dryport>)
    broker_test(provision ${CMAKE_SOURCE_DIR}/tests/broker/provision.py --dryport $<TARGET_FILE:dryport>)
    broker_test(consumers ${CMAKE_SOURCE_DIR}/tests/broker/consumers.py --dryport $<TARGET_FILE:dryport>)
    broker_test(secure ${CMAKE_SOURCE_DIR}/tests/broker/secure.py --dryport $<TARGET_FILE:dryport>)
    broker_test(monitoring ${CMAKE_SOURCE_DIR}/tests/broker/monitoring.py --dryport $<TARGET_FILE:dryport>)
    broker_test(registry ${CMAKE_SOURCE_DIR}/tests/broker/registry.py --dryport $<TARGET_FILE:dryport>)
    broker_test(guards ${CMAKE_SOURCE_DIR}/tests/broker/guards.py --dryport $<TARGET_FILE:dryport>)
    if(DRYPORT_BENCH AND NOT DRYPORT_SANITIZE)
        broker_test(bench_smoke ${CMAKE_SOURCE_DIR}/bench/end_to_end.py --count 200000 --pairs 1 --warm-up 0
            --dryport $<TARGET_FILE:dryport> --null-consumer $<TARGET_FILE:null_consumer>)
        broker_test(restore_smoke ${CMAKE_SOURCE_DIR}/bench/restore_end_to_end.py --entries 20000 --portions 2 --rounds 2
            --dryport $<TARGET_FILE:dryport>)
        # Every other bench with the smallest sizes: each runs to its end, finds the totals right and gives its figure.
        broker_test(full_smoke ${CMAKE_SOURCE_DIR}/bench/full.py --smoke --build ${CMAKE_BINARY_DIR} --dryport $<TARGET_FILE:dryport>)
        set_tests_properties(broker/bench_smoke broker/restore_smoke broker/full_smoke PROPERTIES LABELS "broker;bench")
    endif()
endif()

if(NOT DRYPORT_THREAD_SANITIZER)
    add_executable(port_smoke ${CMAKE_SOURCE_DIR}/tests/broker/port_smoke.c)
    target_link_libraries(port_smoke PRIVATE proc_kafka)
    add_test(NAME broker/port_smoke COMMAND ${CMAKE_SOURCE_DIR}/tests/broker/port_smoke.sh $<TARGET_FILE:port_smoke>)
    set_tests_properties(broker/port_smoke PROPERTIES TIMEOUT 300 LABELS broker RUN_SERIAL ON)
endif()
