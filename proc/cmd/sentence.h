/* SPDX-License-Identifier: Apache-2.0
 * sentence.h - a summary as sentences that a spokesman can use: "January-July 2025: 35,500 t worth 3.65 bn yuan, up 50.1 % and
 * 37.7 % year on year".
 *
 * Out:     one sentence for each group, or for the total where nothing is broken down; the year before; the notes
 * Thread:  main
 */
#pragma once

#include "query/presentation.h"

void sentence_print(const struct summary *summary, const struct presentation *presentation, FILE *out);
