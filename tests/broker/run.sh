#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FILE.py [ARGUMENT...] - runs a Python program in the environment of the broker tests, made when it is not there yet.
set -eu
environment=$("$(dirname "$0")/../../scripts/test_venv.sh")
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$environment/bin/python" "$@"
