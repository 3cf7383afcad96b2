# Flags of all our code, as one interface library; a user's build has no -Werror.
add_library(proc_flags INTERFACE)
target_compile_features(proc_flags INTERFACE c_std_17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")
option(DRYPORT_WERROR "treat warnings as errors (presets and CI)" OFF)
target_include_directories(proc_flags INTERFACE ${CMAKE_SOURCE_DIR}/proc)
target_compile_definitions(proc_flags INTERFACE _POSIX_C_SOURCE=200809L DRYPORT_VERSION="${PROJECT_VERSION}"
    $<$<BOOL:${DRYPORT_MUTANTS}>:DRYPORT_MUTANTS>
    $<$<BOOL:${DRYPORT_PROTOCOL_MUTANTS}>:DRYPORT_PROTOCOL_MUTANTS>)
target_compile_options(proc_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wwrite-strings -Wundef -Wvla -Wdouble-promotion $<$<BOOL:${DRYPORT_WERROR}>:-Werror>
    # clang reports the first inside protobuf-c's macros, too, the second for rows that leave their end 0, the third for enums
    $<$<NOT:$<C_COMPILER_ID:Clang>>:-Wcast-qual> $<$<C_COMPILER_ID:Clang>:-Wno-missing-field-initializers> $<$<C_COMPILER_ID:Clang>:-Wno-sign-conversion>
    -fno-strict-overflow)
# Against the faults that remain (docs/adr/0067-hardened-build.md); tests/lint/hardened.sh looks for each in the release binary.
include(CheckCCompilerFlag)
target_compile_options(proc_flags INTERFACE -Wformat=2 -Wno-format-nonliteral -Wimplicit-fallthrough -fPIE -fstack-protector-strong
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
set(CMAKE_REQUIRED_FLAGS -Werror) # clang takes a flag of another processor with a warning
foreach(flag -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard -fstrict-flex-arrays=3)
    string(MAKE_C_IDENTIFIER "has${flag}" has) # which there are depends on the compiler and the processor
    check_c_compiler_flag(${flag} ${has})
    if(${has})
        target_compile_options(proc_flags INTERFACE ${flag})
    endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)
target_link_options(proc_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
set(DRYPORT_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them")
if(DRYPORT_SANITIZE)
    target_compile_options(proc_flags INTERFACE -fsanitize=${DRYPORT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(proc_flags INTERFACE -fsanitize=${DRYPORT_SANITIZE})
endif()
# libFuzzer counts edges in all our code; the targets themselves (tests/fuzz) link it with its main.
option(DRYPORT_FUZZ "build tests/fuzz and all it calls for libFuzzer; needs clang" OFF)
if(DRYPORT_FUZZ)
    target_compile_options(proc_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# One small function a call deep in a loop (table, buffer, dictionary) lies in another room: the release build inlines over rooms.
include(CheckIPOSupported)
check_ipo_supported(RESULT lto OUTPUT ignored LANGUAGES C)
if(lto AND CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
# Profile-guided optimisation (scripts/build_trained.sh, `make trained`): one folder is built with "generate", trained, and built again with "use".
set(DRYPORT_PROFILE "" CACHE STRING "generate or use; empty: no profile")
if(DRYPORT_PROFILE STREQUAL "generate")
    target_compile_options(proc_flags INTERFACE -fprofile-generate -fprofile-update=prefer-atomic)
    target_link_options(proc_flags INTERFACE -fprofile-generate)
elseif(DRYPORT_PROFILE STREQUAL "use")
    # What the training does not reach is optimised as without a profile, not for size.
    target_compile_options(proc_flags INTERFACE -fprofile-use -fprofile-partial-training -Wno-missing-profile)
    target_link_options(proc_flags INTERFACE -fprofile-use)
elseif(DRYPORT_PROFILE)
    message(FATAL_ERROR "DRYPORT_PROFILE is \"${DRYPORT_PROFILE}\"; there are generate and use")
endif()
