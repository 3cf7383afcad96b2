/* SPDX-License-Identifier: Apache-2.0
 * clock.h - the two clocks of the machine. Only kafka/, ops/ and cmd/ may read them: flow/ asks its port.
 *
 * Units:   ms since epoch UTC; ns since an unspecified start
 * Thread:  any
 */
#pragma once

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_steady_ns(void);
