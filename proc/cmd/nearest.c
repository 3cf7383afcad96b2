/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/nearest.h"

#include <stdio.h>

struct nearest nearest_to(struct text wanted)
{
    return (struct nearest){.wanted = wanted, .distance = SIZE_MAX};
}

void nearest_try(struct nearest *nearest, struct text candidate)
{
    size_t distance = text_distance(nearest->wanted, candidate);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}

const char *nearest_hint(const struct nearest *nearest, char out[static NEAREST_TEXT_BYTES])
{
    /* more than a third of the letters wrong is another word, not a slip */
    if (nearest->distance == SIZE_MAX || nearest->distance > 1 + nearest->best.length / 3)
        out[0] = 0;
    else
        snprintf(out, NEAREST_TEXT_BYTES, "; did you mean \"%.*s\"?", TEXT_ARGS(nearest->best));
    return out;
}
