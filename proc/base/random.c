/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include "base/check.h"

#include <sys/random.h>

uint64_t random_of_system(void *context)
{
    uint64_t value;
    (void)context;
    ssize_t got = getrandom(&value, sizeof value, 0);
    CHECK(got == (ssize_t)sizeof value);
    return value;
}
