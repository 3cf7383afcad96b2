/* SPDX-License-Identifier: Apache-2.0
 * reference_read.h - reads one file of reference.dir into struct reference, and says exactly what is wrong with it.
 *
 * In:      a CSV file with the columns of docs/REFERENCE.md; columns beside them are ignored
 * Errors:  ERR_CONFIG with file, line, column and mend
 * Thread:  startup
 */
#pragma once

#include "trade/lists.h"

/* File name of a list. */
const char *reference_read_file(enum reference_list list);

/* Adds the rows of the file at `path` to reference. Units must be read before nomenclatures. */
enum err reference_read(struct reference *reference, enum reference_list list, const char *path,
                        struct err_info *info) MUST_USE;
