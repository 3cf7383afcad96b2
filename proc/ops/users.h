/* SPDX-License-Identifier: Apache-2.0
 * users.h - who may ask the status listener: a file of names and passwords, for HTTP's basic authentication.
 *
 * In:      lines "name:password"; empty lines and those that begin with # do not count
 * Limits:  USERS_FILE_BYTES, USERS_LINE_BYTES
 * Memory:  nothing is kept: the file is read for each request, so that a changed password is in force at once
 * Errors:  ERR_CONFIG names the file, the line and the mend, never a password
 * Thread:  any
 * Why:     docs/adr/0068-status-listener.md; RFC 7617
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum { USERS_FILE_BYTES = 65536, USERS_LINE_BYTES = 512 };

/* Can the file be used? */
enum err users_check(const char *file, struct err_info *info) MUST_USE;

/* Is this value of the header Authorization one of the file's? Takes as long for a wrong password as for a right one. False as well
 * when there is no header (NULL) or the file can't be used now. */
bool users_admit(const char *file, const char *authorization);
