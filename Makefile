# SPDX-License-Identifier: Apache-2.0
# A thin front: what it runs is in scripts/, CMakePresets.json and CMakeLists.txt. ARGS goes to the program that a target runs.
.POSIX:
.PHONY: help deps build trained image image-test demo test bench bench-full bench-table bench-restore bench-restore-broker lint format rule-mutants model chaos soak sim mutants properties fuzz fuzz-corpus clean

help:
	@echo 'make build         installs what is missing, leaves build/release/dryport'
	@echo 'make trained       the same with a profile of a training run (2 min more, about a tenth faster): build/trained/dryport'
	@echo 'make image         builds the Dockerfile without a Docker engine (buildah): localhost/dryport'
	@echo 'make image-test    the same, its unit tests on trixie, and what the image does on a real broker'
	@echo 'make demo          the whole processor on an in-process mock cluster (ARGS="--seconds 10")'
	@echo 'make test          everything: debug, asan, tsan, fuzz, release, lints, a real broker'
	@echo 'make bench         against a real broker, beside a null consumer (ARGS="--count 200000 --pairs 1")'
	@echo 'make bench-full    every bench and a table of all marks, an hour (ARGS="--only latency,idle")'
	@echo 'make bench-table   our table beside a mutex, ck_ht and lfht'
	@echo 'make bench-restore how long a restart takes, and memory per entry (ARGS="--entries 10000000")'
	@echo 'make bench-restore-broker  the same of a whole process on a real broker (ARGS="--entries 10000000")'
	@echo 'make lint          what the compiler does not check'
	@echo 'make format        clang-format over all sources'
	@echo 'make model         the protocol as a model: random schedules, then each deliberate breakage (SEEDS=20000 FROM=0)'
	@echo 'make chaos         three processes on three real brokers, killed and paused (MINUTES=20 SEED=1)'
	@echo 'make soak          50,000 records a second and rebalances: memory and descriptors stay (MINUTES=20 SEED=1 RATE=50000)'
	@echo 'make rule-mutants  each rule switched off in turn must fail a test'
	@echo 'make sim           the deterministic simulation (SEEDS=20000 FROM=0): tests/sim/README.md'
	@echo 'make mutants       each deliberate breakage of the protocol must die in the simulation'
	@echo 'make properties    random streams in any order, place and number of runs: the same statistics (SEEDS=10000 FROM=1)'
	@echo 'make fuzz          each libFuzzer target for SECONDS=60, two at a time: tests/fuzz/README.md'
	@echo 'make deps          only installs; make clean removes build/'

deps:
	@scripts/install_deps.sh build

build: deps
	@cmake --preset release -DDRYPORT_WERROR=OFF $$([ -e build/release/CMakeCache.txt ] || echo -DDRYPORT_TESTS=OFF) --log-level=WARNING >/dev/null
	@cmake --build --preset release --target dryport -- --quiet
	@echo 'build/release/dryport is ready' >&2

trained: deps
	@scripts/build_trained.sh

image:
	@scripts/image_build.sh

image-test: build
	@scripts/install_deps.sh build test containers
	tests/broker/run.sh tests/broker/image.py --test-stage $(ARGS)
	tests/broker/run.sh tests/broker/rolling.py --image localhost/dryport

demo: build
	build/release/dryport demo $(ARGS)

test:
	@scripts/install_deps.sh build test fuzz containers bench
	@scripts/test_all.sh $(ARGS)

bench: trained
	@scripts/install_deps.sh build test bench
	@cmake --preset release -DDRYPORT_WERROR=OFF --log-level=WARNING >/dev/null
	@cmake --build --preset release --target null_consumer -- --quiet
	tests/broker/run.sh bench/end_to_end.py --dryport build/trained/dryport --once --frequencies --record $(ARGS)

bench-full: trained
	@scripts/install_deps.sh build test bench
	@cmake --preset release -DDRYPORT_WERROR=OFF -DDRYPORT_TESTS=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target dryport null_consumer null_consumer_once job_j job_j_fill peer_job_j latency_probe idle_consumer bench_decode bench_table bench_ledger bench_restore bench_flow -- --quiet
	bench/record.sh full tests/broker/run.sh bench/full.py --dryport build/trained/dryport $(ARGS)

bench-table: build
	@scripts/install_deps.sh build bench
	@cmake --preset release -DDRYPORT_WERROR=OFF --log-level=WARNING >/dev/null
	@cmake --build --preset release --target bench_table -- --quiet
	bench/record.sh table build/release/bench_table $(ARGS)

bench-restore: build
	@scripts/install_deps.sh build test bench
	@cmake --preset release -DDRYPORT_WERROR=OFF -DDRYPORT_TESTS=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target bench_restore -- --quiet
	bench/record.sh restore build/release/bench_restore $(ARGS)

bench-restore-broker: build
	@scripts/install_deps.sh build test bench
	bench/record.sh restore-broker tests/broker/run.sh bench/restore_end_to_end.py $(ARGS)

lint:
	@scripts/install_deps.sh build test containers
	@cmake --preset debug --log-level=WARNING >/dev/null
	@cmake --build --preset debug -- --quiet
	@ctest --preset debug -L '^lint$$'

format:
	@scripts/install_deps.sh test
	@scripts/format.sh

rule-mutants:
	@scripts/install_deps.sh build test
	@scripts/rule_mutants.sh $(ARGS)

model:
	python3 -B tests/model/journal_model.py --seeds $${SEEDS:-20000} --from $${FROM:-0}
	python3 -B tests/model/journal_model.py --seeds $${SEEDS:-20000} --from $${FROM:-0} --breakages

chaos: build
	@scripts/install_deps.sh build test
	tests/broker/run.sh tests/broker/chaos.py --minutes $${MINUTES:-20} --seed $${SEED:-1}

soak: build
	@scripts/install_deps.sh build test
	tests/broker/run.sh tests/broker/soak.py --minutes $${MINUTES:-20} --rate $${RATE:-50000} --seed $${SEED:-1} $(ARGS)

sim:
	@scripts/install_deps.sh build test
	@cmake --preset release -DDRYPORT_WERROR=OFF --log-level=WARNING >/dev/null
	@cmake --build --preset release --target dryport_sim -- --quiet
	@build/release/dryport_sim --seeds $${SEEDS:-20000} --from $${FROM:-0} --jobs 2 $(ARGS)

mutants:
	@scripts/install_deps.sh build test
	@scripts/mutants.sh $(ARGS)

properties:
	@scripts/install_deps.sh build test
	@cmake --preset release -DDRYPORT_WERROR=OFF -DDRYPORT_TESTS=ON --log-level=WARNING >/dev/null
	@cmake --build --preset release --target properties -- --quiet
	@build/release/properties -X reference.dir=tests/data/reference --seeds $${SEEDS:-10000} --from $${FROM:-1} $(ARGS)

SECONDS = 60
fuzz:
	@scripts/install_deps.sh build fuzz
	@scripts/fuzz.sh $(SECONDS) $(ARGS)

fuzz-corpus:
	@scripts/install_deps.sh build fuzz
	@scripts/fuzz.sh 0
	@tests/fuzz/corpus.sh $(ARGS)

clean:
	rm -rf build
