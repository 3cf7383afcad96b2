/* SPDX-License-Identifier: Apache-2.0
 * credentials.h - settings whose value is the content of a file, and passwords that change while handles live.
 *
 * In:      kafka.PROPERTY.file=PATH; the files                    Out:    values; handles that log in by the newest password
 * Limits:  CREDENTIALS_BYTES of a file; one line break at its end does not count
 * Memory:  a password is in memory only while it is handed over; of what was handed over a hash is kept
 * Errors:  ERR_CONFIG names the file and the mend
 * Thread:  any; its lock is held for calls of librdkafka that only note something
 * Why:     docs/adr/0066-secrets-from-files.md
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct kafka_options;
struct rd_kafka_s;

enum { CREDENTIALS_BYTES = 65536, CREDENTIALS_PROPERTY_BYTES = 128 };

/* True if the value of this property is the name of a file: it ends in ".file". The property itself is then put into out. */
bool credentials_property(const char *key, char out[CREDENTIALS_PROPERTY_BYTES]);

/* Content of a file as a value. */
enum err credentials_read(const char *path, char out[CREDENTIALS_BYTES], struct err_info *info) MUST_USE;

/* The handles of one port, and by which user and password each was told to log in. */
struct credentials;

struct credentials *credentials_new(void);
/* Takes NULL. */
void credentials_free(struct credentials *credentials);

/* A hash of user and password as a handle made now would have them; 0 if neither comes from a file. */
uint64_t credentials_stamp(const struct kafka_options *options, bool is_producer);

/* A handle that was made with what credentials_stamp gave before it was; it goes before it is destroyed. */
void credentials_add(struct credentials *credentials, struct rd_kafka_s *handle, uint64_t stamp);
void credentials_remove(struct credentials *credentials, const struct rd_kafka_s *handle);

/* Reads the files again and gives each handle what has changed, for its next connections; those that stand stay. Returns how many handles
 * got another password, -1 if a file can't be read or librdkafka refuses: then info says why, and the passwords of before stay. */
int32_t credentials_refresh(struct credentials *credentials, const struct kafka_options *options,
                            struct err_info *info);
