/* SPDX-License-Identifier: Apache-2.0
 * certificate.h - when a certificate in a file expires.
 *
 * In:      a PEM file with one certificate or more        Out: seconds since the epoch
 * Thread:  any
 * Source:  RFC 5280 section 4.1.2.5 (validity); the file is read by OpenSSL's libcrypto
 */
#pragma once

#include <stdint.h>

/* When the first of the file's certificates to expire does so. INT64_MAX if the file can't be read or holds none: who needs the file
 * says so where it is used. */
int64_t certificate_expiry(const char *path);
