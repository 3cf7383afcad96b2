/* SPDX-License-Identifier: Apache-2.0
 * incoterm.h - what the price of a delivery term holds beside the goods: Incoterms 2020 and the withdrawn terms of 2000 and 2010.
 *
 * Thread:  any
 */
#pragma once

#include "base/span.h"

/* 0: no term that is known here. */
enum { INCOTERM_KNOWN = 1, INCOTERM_CARRIAGE = 2, INCOTERM_INSURANCE = 4 };

uint32_t incoterm_price(struct text term);
