/* SPDX-License-Identifier: Apache-2.0
 * nearest.h - the known name that a wrong one was probably meant to be.
 *
 * Thread:  any
 */
#pragma once

#include "base/span.h"

/* Goes through candidates; keeps the one with the least edit distance. */
struct nearest {
    struct text wanted;
    struct text best;
    size_t distance;
};

struct nearest nearest_to(struct text wanted);
void nearest_try(struct nearest *nearest, struct text candidate);

enum { NEAREST_TEXT_BYTES = 128 };

/* `; did you mean "NAME"?`, or an empty text if nothing is near. Returns out. */
const char *nearest_hint(const struct nearest *nearest, char out[static NEAREST_TEXT_BYTES]);
