/* SPDX-License-Identifier: Apache-2.0
 * mutant.h - MUTANT(NAME): whether the breakage NAME of mutants.def is on. In every build but that of make mutants it is the constant false.
 *
 * In:      the environment variable DRYPORT_PROTOCOL_MUTANT, read once
 * Thread:  one thread in all where mutants exist (the simulation); any elsewhere
 */
#pragma once

#include <stdbool.h>

#ifdef DRYPORT_PROTOCOL_MUTANTS

#include <stdlib.h>
#include <string.h>

enum mutant {
    MUTANT_NONE,
#define MUTANT_ROW(ident, text) MUTANT_##ident,
#include "flow/mutants.def"
#undef MUTANT_ROW
};

static inline bool mutant_is(enum mutant mutant)
{
    static const char *const names[] = {
        "NONE",
#define MUTANT_ROW(ident, text) #ident,
#include "flow/mutants.def"
#undef MUTANT_ROW
    };
    static int on = -1;
    if (on < 0) {
        const char *name = getenv("DRYPORT_PROTOCOL_MUTANT");
        on = MUTANT_NONE;
        for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++)
            on = strcmp(name, names[i]) == 0 ? (int)i : on;
    }
    return on == (int)mutant;
}

#define MUTANT(name) mutant_is(MUTANT_##name)

#else

#define MUTANT(name) false

#endif
