# Benches: plain programs, included when DRYPORT_BENCH is on. Each prints Markdown; bench/record.sh keeps a run with the machine it ran on.
add_executable(bench_table bench/bench_table.c bench/bench_table_rivals.c)
target_link_libraries(bench_table PRIVATE proc_base)
pkg_check_modules(bench_ck IMPORTED_TARGET ck)
if(bench_ck_FOUND)
    target_link_libraries(bench_table PRIVATE PkgConfig::bench_ck)
    target_compile_definitions(bench_table PRIVATE DRYPORT_BENCH_CK)
endif()
pkg_check_modules(bench_urcu IMPORTED_TARGET liburcu-qsbr liburcu-cds)
if(bench_urcu_FOUND)
    target_link_libraries(bench_table PRIVATE PkgConfig::bench_urcu)
    target_compile_definitions(bench_table PRIVATE DRYPORT_BENCH_URCU)
endif()
if(DRYPORT_TESTS AND NOT DRYPORT_SANITIZE)
    add_test(NAME bench/table COMMAND bench_table --smoke)
    set_tests_properties(bench/table PROPERTIES TIMEOUT 60 LABELS bench)
endif()
# The limit that bench/end_to_end.py holds `dryport run` against: librdkafka and nothing else.
if(NOT DRYPORT_THREAD_SANITIZER)
    add_executable(null_consumer bench/null_consumer.c)
    target_link_libraries(null_consumer PRIVATE proc_flags PkgConfig::rdkafka)
    # The same with the remedy of kafka/zstd_size.h and nothing else of ours.
    add_executable(null_consumer_once bench/null_consumer.c proc/kafka/zstd_size.c)
    target_link_libraries(null_consumer_once PRIVATE proc_flags PkgConfig::rdkafka PkgConfig::zstd)
    target_link_options(null_consumer_once PRIVATE -Wl,--export-dynamic-symbol=ZSTD_getFrameContentSize)
endif()
# What decoding costs, and protobuf-c beside it.
add_executable(bench_decode bench/bench_decode.c)
target_link_libraries(bench_decode PRIVATE proc_flow)
if(DRYPORT_TESTS AND NOT DRYPORT_SANITIZE)
    add_test(NAME bench/decode COMMAND bench_decode --smoke)
    set_tests_properties(bench/decode PROPERTIES TIMEOUT 60 LABELS bench)
endif()
# What a declaration costs the ledger in memory.
if(NOT DRYPORT_THREAD_SANITIZER)
    add_executable(bench_ledger bench/bench_ledger.c)
    target_link_libraries(bench_ledger PRIVATE proc_cmd)
    target_compile_definitions(bench_ledger PRIVATE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
    if(DRYPORT_TESTS AND NOT DRYPORT_SANITIZE)
        add_test(NAME bench/ledger COMMAND bench_ledger --smoke)
        set_tests_properties(bench/ledger PROPERTIES TIMEOUT 60 LABELS bench)
    endif()
endif()

# The whole of flow/ on the broker in memory, one thread: where a declaration's nanoseconds go.
if(TARGET sim_world)
    add_executable(bench_flow bench/bench_flow.c bench/pb_file.c)
    target_link_libraries(bench_flow PRIVATE sim_world)
endif()

# How long a restart takes: a partition's restore, a publisher's way to its open gate; memory of both.
if(TARGET sim_world AND NOT DRYPORT_THREAD_SANITIZER)
    add_executable(bench_restore bench/bench_restore.c bench/restore_journal.c)
    target_link_libraries(bench_restore PRIVATE proc_cmd sim_world)
    target_compile_definitions(bench_restore PRIVATE _DEFAULT_SOURCE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
    if(NOT DRYPORT_SANITIZE)
        add_test(NAME bench/restore COMMAND bench_restore --smoke)
        set_tests_properties(bench/restore PROPERTIES TIMEOUT 60 LABELS bench)
    endif()
endif()

# The stages of flow/batch alone, on the declarations of a file.
add_executable(bench_judge bench/bench_judge.c bench/pb_file.c)
target_link_libraries(bench_judge PRIVATE proc_flow)

# What settling costs, by the processor's counters.
add_executable(bench_settle bench/bench_settle.c bench/pb_file.c)
target_link_libraries(bench_settle PRIVATE proc_flow)
