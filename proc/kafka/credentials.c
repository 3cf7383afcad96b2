/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/credentials.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "kafka/client.h"

#include <librdkafka/rdkafka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { HANDLES_MAX = 256 };

#define FILE_SUFFIX ".file"

struct login {
    rd_kafka_t *handle;
    uint64_t stamp;
};

struct credentials {
    pthread_mutex_t lock;
    struct login logins[HANDLES_MAX];
};

bool credentials_property(const char *key, char out[CREDENTIALS_PROPERTY_BYTES])
{
    size_t length = strlen(key);
    size_t suffix = sizeof FILE_SUFFIX - 1;
    if (length <= suffix || length - suffix >= CREDENTIALS_PROPERTY_BYTES ||
        strcmp(key + length - suffix, FILE_SUFFIX) != 0) {
        return false;
    }
    snprintf(out, CREDENTIALS_PROPERTY_BYTES, "%.*s", (int)(length - suffix), key);
    return true;
}

enum err credentials_read(const char *path, char out[CREDENTIALS_BYTES], struct err_info *info)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return err_set(info, ERR_CONFIG, "can't read %s: %s", path, strerror(errno));
    }
    size_t length = fread(out, 1, CREDENTIALS_BYTES, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0) {
        return err_set(info, ERR_CONFIG, "can't read %s: %s", path, strerror(error));
    }
    if (length == CREDENTIALS_BYTES) {
        return err_set(info, ERR_CONFIG, "%s is larger than a password or key can be", path);
    }
    length -= length > 0 && out[length - 1] == '\n';
    length -= length > 0 && out[length - 1] == '\r';
    out[length] = '\0';
    if (length == 0 || memchr(out, '\0', length) != NULL) {
        return err_set(info, ERR_CONFIG, "%s %s; put the value into it, as text", path,
                       length == 0 ? "is empty" : "has a zero byte");
    }
    return OK;
}

static bool is_for(const struct kafka_setting *setting, bool is_producer)
{
    return setting->scope != (is_producer ? KAFKA_CONSUMER : KAFKA_PRODUCER);
}

/* The value of a property into out, the last setting of it wins. *out_from_file: whether it came from one. "" if it is not set. */
static enum err value_of(const struct kafka_options *options, bool is_producer, const char *property,
                         char out[CREDENTIALS_BYTES], bool *out_from_file, struct err_info *info)
{
    char stem[CREDENTIALS_PROPERTY_BYTES];
    out[0] = '\0';
    for (size_t i = options->setting_count; i-- > 0;) {
        const struct kafka_setting *setting = &options->settings[i];
        if (!is_for(setting, is_producer)) {
            continue;
        }
        if (strcmp(setting->key, property) == 0) {
            snprintf(out, CREDENTIALS_BYTES, "%s", setting->value);
            return OK;
        }
        if (credentials_property(setting->key, stem) && strcmp(stem, property) == 0) {
            *out_from_file = true;
            return credentials_read(setting->value, out, info);
        }
    }
    return OK;
}

struct pair {
    char user[CREDENTIALS_BYTES];
    char password[CREDENTIALS_BYTES];
};

/* *out_stamp 0: nothing of it comes from a file. */
static enum err read_pair(const struct kafka_options *options, bool is_producer, struct pair *out, uint64_t *out_stamp,
                          struct err_info *info)
{
    bool from_file = false;
    *out_stamp = 0;
    TRY(value_of(options, is_producer, "sasl.username", out->user, &from_file, info));
    TRY(value_of(options, is_producer, "sasl.password", out->password, &from_file, info));
    if (from_file && out->user[0] != '\0' && out->password[0] != '\0') {
        uint64_t stamp = hash_bytes(out->user, strlen(out->user), hash_bytes(out->password, strlen(out->password), 1));
        *out_stamp = stamp != 0 ? stamp : 1;
    }
    return OK;
}

static void free_pair(struct pair *pair)
{
    memory_wipe(pair, sizeof *pair);
    memory_free(pair);
}

uint64_t credentials_stamp(const struct kafka_options *options, bool is_producer)
{
    struct pair *pair = memory_new(1, sizeof *pair);
    uint64_t stamp;
    if (read_pair(options, is_producer, pair, &stamp, NULL) != OK) {
        stamp = 0;
    }
    free_pair(pair);
    return stamp;
}

struct credentials *credentials_new(void)
{
    struct credentials *credentials = memory_new(1, sizeof *credentials);
    pthread_mutex_init(&credentials->lock, NULL);
    return credentials;
}

void credentials_free(struct credentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    pthread_mutex_destroy(&credentials->lock);
    memory_free(credentials);
}

/* More handles than there are places are not told of a new password; a port has about a tenth of them. */
void credentials_add(struct credentials *credentials, struct rd_kafka_s *handle, uint64_t stamp)
{
    pthread_mutex_lock(&credentials->lock);
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (credentials->logins[i].handle == NULL) {
            credentials->logins[i] = (struct login){handle, stamp};
            break;
        }
    }
    pthread_mutex_unlock(&credentials->lock);
}

void credentials_remove(struct credentials *credentials, const struct rd_kafka_s *handle)
{
    pthread_mutex_lock(&credentials->lock);
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (credentials->logins[i].handle == handle) {
            credentials->logins[i] = (struct login){NULL, 0};
        }
    }
    pthread_mutex_unlock(&credentials->lock);
}

/* Gives the pair to the handles of a kind that have another one. Returns how many, -1 if librdkafka refuses. */
static int32_t hand_over(struct credentials *credentials, bool is_producer, const struct pair *pair, uint64_t stamp,
                         struct err_info *info)
{
    rd_kafka_type_t type = is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    int32_t count = 0;
    pthread_mutex_lock(&credentials->lock);
    for (size_t i = 0; i < HANDLES_MAX && count >= 0; i++) {
        struct login *login = &credentials->logins[i];
        if (login->handle == NULL || rd_kafka_type(login->handle) != type || login->stamp == stamp) {
            continue;
        }
        rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(login->handle, pair->user, pair->password);
        if (error != NULL) {
            (void)err_set(info, ERR_CONFIG, "librdkafka refuses the new user and password: %s",
                          rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
            count = -1;
            break;
        }
        login->stamp = stamp;
        count++;
    }
    pthread_mutex_unlock(&credentials->lock);
    return count;
}

int32_t credentials_refresh(struct credentials *credentials, const struct kafka_options *options, struct err_info *info)
{
    struct pair *pair = memory_new(1, sizeof *pair);
    int32_t sum = 0;
    for (int kind = 0; kind < 2 && sum >= 0; kind++) {
        uint64_t stamp;
        int32_t count = 0;
        if (read_pair(options, kind == 1, pair, &stamp, info) != OK) {
            count = -1;
        } else if (stamp != 0) {
            count = hand_over(credentials, kind == 1, pair, stamp, info);
        }
        sum = count < 0 ? -1 : sum + count;
    }
    free_pair(pair);
    return sum;
}
