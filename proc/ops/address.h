/* SPDX-License-Identifier: Apache-2.0
 * address.h - "host:port": taken apart, and listened on.
 *
 * In:      a name, an IPv4 address or an IPv6 address in brackets, and a port from 0 (any free one) to 65535
 * Memory:  none is kept; address_listen gives a descriptor
 * Errors:  ERR_CONFIG names the setting http.listen and the mend
 * Thread:  address_listen: startup (it may ask a name server); the others: any
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* host gets no brackets. False, and both undefined, if it is not of that shape or does not fit. */
bool address_split(const char *address, char *host, size_t host_bytes, char *port, size_t port_bytes);

/* Gives a socket of TCP that listens on the first address of that name that can be had. */
enum err address_listen(const char *address, int *out_fd, struct err_info *info) MUST_USE;

/* The port that a socket listens on; 0 if it is none. */
int address_port(int fd);
