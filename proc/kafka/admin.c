/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/admin.h"

#include "base/clock.h"
#include "base/memory.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <time.h>

enum {
    BATCH_FRAME_BYTES = 128,          /* of a record batch, beside its records */
    TIMESTAMP_AFTER_MAX_MS = 3600000, /* one broken clock must not move the watermark: design.md 4 */
    SETTINGS_MAX = 8,
    IN_SYNC_FROM_REPLICAS = 3,
    AWAIT_MOST_MS = 50, /* between looks for a topic that was just made */
};

struct admin {
    const struct kafka_options *options;
    struct client_health *health;
    struct client_health *own_health; /* made here if the caller has none */
    rd_kafka_t *handle;
};

enum err admin_open(const struct kafka_options *options, struct client_health *health, struct admin **out,
                    struct err_info *info)
{
    struct admin *admin = memory_new(1, sizeof *admin);
    admin->options = options;
    admin->own_health = health == NULL ? client_health_new(options) : NULL;
    admin->health = health == NULL ? admin->own_health : health;
    enum err err = client_new(options, CLIENT_READER, admin->health, &admin->handle, info);
    if (err == OK) {
        *out = admin;
        return OK;
    }
    admin_close(admin);
    return err;
}

void admin_close(struct admin *admin)
{
    if (admin == NULL) {
        return;
    }
    client_close(admin->handle, admin->health);
    if (admin->own_health != NULL) {
        client_health_wait_closed(admin->own_health, client_timeout_ms(admin->options));
        client_health_free(admin->own_health);
    }
    memory_free(admin);
}

void admin_serve(struct admin *admin)
{
    rd_kafka_poll(admin->handle, 0);
}

/* A time-out says little: what went wrong before it (refused connection, wrong password) says more. */
static enum err fail(struct admin *admin, int code, const char *reason, const char *what, struct err_info *info)
{
    rd_kafka_poll(admin->handle, 0);
    struct kafka_health health;
    client_health_read(admin->health, &health);
    bool is_vague = code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                    code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (is_vague && health.last_error[0] != '\0') {
        reason = health.last_error;
        code = health.last_error_code != 0 ? health.last_error_code : code;
        if (client_err(code) != ERR_PEER) {
            code = RD_KAFKA_RESP_ERR__TIMED_OUT;
        }
    }
    return client_fail(admin->options, code, reason, what, info);
}

static const char *name_of(const struct admin *admin, enum port_topic topic)
{
    return admin->options->topics[topic];
}

/* ---- partitions and bounds
 * --------------------------------------------------------------------------------------------- */

enum err admin_partitions(struct admin *admin, enum port_topic topic, int32_t *out, struct err_info *info)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->handle, name_of(admin, topic), NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        handle == NULL ? rd_kafka_last_error()
                       : rd_kafka_metadata(admin->handle, 0, handle, &metadata, (int)client_timeout_ms(admin->options));
    if (handle != NULL) {
        rd_kafka_topic_destroy(handle);
    }
    char what[CLIENT_TEXT_BYTES];
    snprintf(what, sizeof what, "asking for topic %s", name_of(admin, topic));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(admin, code, NULL, what, info);
    }
    rd_kafka_resp_err_t topic_code =
        metadata->topic_cnt > 0 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    int32_t count = metadata->topic_cnt > 0 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (topic_code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        count = 0;
    } else if (topic_code != RD_KAFKA_RESP_ERR_NO_ERROR && topic_code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        return fail(admin, topic_code, NULL, what, info);
    }
    *out = count;
    return OK;
}

enum err admin_bounds(struct admin *admin, enum port_topic topic, int32_t partition, struct port_bounds *out,
                      struct err_info *info)
{
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(admin->handle, name_of(admin, topic), partition, &low,
                                                                &high, (int)client_timeout_ms(admin->options));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[CLIENT_TEXT_BYTES];
        snprintf(what, sizeof what, "asking for the bounds of %s/%d", name_of(admin, topic), partition);
        return fail(admin, code, NULL, what, info);
    }
    *out = (struct port_bounds){low, high};
    return OK;
}

/* ---- admin requests
 * ---------------------------------------------------------------------------------------------------- */

/* The frame of one admin request: options with our time-out, a queue for the answer. */
struct request {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
};

static struct request request_new(struct admin *admin, rd_kafka_admin_op_t kind)
{
    struct request request = {rd_kafka_AdminOptions_new(admin->handle, kind), rd_kafka_queue_new(admin->handle), NULL};
    int timeout_ms = (int)client_timeout_ms(admin->options);
    char words[64];
    rd_kafka_AdminOptions_set_request_timeout(request.options, timeout_ms, words, sizeof words);
    if (kind == RD_KAFKA_ADMIN_OP_CREATETOPICS || kind == RD_KAFKA_ADMIN_OP_DELETERECORDS) {
        rd_kafka_AdminOptions_set_operation_timeout(request.options, timeout_ms, words, sizeof words);
    }
    return request;
}

/* Waits for the answer a little longer than the request itself may take. */
static rd_kafka_resp_err_t request_wait(struct admin *admin, struct request *request)
{
    request->event = rd_kafka_queue_poll(request->queue, (int)client_timeout_ms(admin->options) + 1000);
    return request->event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(request->event);
}

static const char *request_words(const struct request *request)
{
    return request->event == NULL ? NULL : rd_kafka_event_error_string(request->event);
}

static void request_end(struct request *request)
{
    if (request->event != NULL) {
        rd_kafka_event_destroy(request->event);
    }
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_AdminOptions_destroy(request->options);
}

static rd_kafka_resp_err_t delete_result(rd_kafka_event_t *event)
{
    const rd_kafka_DeleteRecords_result_t *result = rd_kafka_event_DeleteRecords_result(event);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_DeleteRecords_result_offsets(result);
    return list->cnt > 0 ? list->elems[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum err admin_delete_records(struct admin *admin, enum port_topic topic, int32_t partition, int64_t offset,
                              struct err_info *info)
{
    char what[CLIENT_TEXT_BYTES];
    snprintf(what, sizeof what, "deleting the records of %s/%d below %lld", name_of(admin, topic), partition,
             (long long)offset);
    if (admin->options->is_mock) {
        return err_set(info, ERR_CONFIG, "%s: the in-process broker has no DeleteRecords", what);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name_of(admin, topic), partition)->offset = offset;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);

    struct request request = request_new(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_DeleteRecords(admin->handle, &records, 1, request.options, request.queue);
    rd_kafka_resp_err_t code = request_wait(admin, &request);
    const char *words = request_words(&request);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = delete_result(request.event);
        words = NULL;
    }
    enum err err = OK;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        err = err_set(info, ERR_CONFIG, "%s: not allowed; grant Delete on the topic, or leave its records untrimmed",
                      what);
    } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = fail(admin, code, words, what, info);
    }
    request_end(&request);
    rd_kafka_DeleteRecords_destroy(records);
    return err;
}

/* ---- settings of a topic
 * ----------------------------------------------------------------------------------------------- */

struct topic_setting {
    const char *name;
    char value[ADMIN_SETTING_BYTES];
    bool is_found;
};

static void pick(const rd_kafka_ConfigResource_t *resource, struct topic_setting *settings, size_t count)
{
    size_t entries;
    const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(resource, &entries);
    for (size_t e = 0; e < entries; e++) {
        for (size_t i = 0; i < count; i++) {
            const char *value = rd_kafka_ConfigEntry_value(list[e]);
            if (value != NULL && strcmp(rd_kafka_ConfigEntry_name(list[e]), settings[i].name) == 0) {
                snprintf(settings[i].value, sizeof settings[i].value, "%s", value);
                settings[i].is_found = true;
            }
        }
    }
}

static rd_kafka_resp_err_t describe_result(rd_kafka_event_t *event, struct topic_setting *settings, size_t count,
                                           const char **out_words)
{
    size_t resources;
    const rd_kafka_ConfigResource_t **list =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &resources);
    if (resources == 0) {
        return RD_KAFKA_RESP_ERR__BAD_MSG;
    }
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(list[0]);
    *out_words = rd_kafka_ConfigResource_error_string(list[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        pick(list[0], settings, count);
    }
    return code;
}

static enum err describe(struct admin *admin, enum port_topic topic, struct topic_setting *settings, size_t count,
                         struct err_info *info)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name_of(admin, topic));
    struct request request = request_new(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(admin->handle, &resource, 1, request.options, request.queue);
    rd_kafka_resp_err_t code = request_wait(admin, &request);
    const char *words = request_words(&request);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = describe_result(request.event, settings, count, &words);
    }
    enum err err = OK;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        char what[CLIENT_TEXT_BYTES];
        snprintf(what, sizeof what, "reading the settings of topic %s (needs the ACL DescribeConfigs)",
                 name_of(admin, topic));
        err = fail(admin, code, words, what, info);
    }
    request_end(&request);
    rd_kafka_ConfigResource_destroy(resource);
    return err;
}

enum err admin_setting(struct admin *admin, enum port_topic topic, const char *name, char out[ADMIN_SETTING_BYTES],
                       struct err_info *info)
{
    struct topic_setting setting = {.name = name};
    TRY(describe(admin, topic, &setting, 1, info));
    if (!setting.is_found) {
        return err_set(info, ERR_PEER, "topic %s: the broker does not state %s", name_of(admin, topic), name);
    }
    snprintf(out, ADMIN_SETTING_BYTES, "%s", setting.value);
    return OK;
}

/* ---- creation
 * ---------------------------------------------------------------------------------------------------------- */

struct creation {
    const char *name;
    const char *value;
    bool is_optional; /* brokers before Kafka 3.6 do not know it */
};

static const struct creation creations[PORT_TOPICS][SETTINGS_MAX] = {
    [PORT_DECLARATIONS] = {{"cleanup.policy", "delete", false},
                           {"retention.ms", "-1", false},
                           {"retention.bytes", "-1", false},
                           {"message.timestamp.after.max.ms", "3600000", true}},
    [PORT_JOURNAL] = {{"cleanup.policy", "delete", false},
                      {"retention.ms", "-1", false},
                      {"retention.bytes", "-1", false},
                      {"unclean.leader.election.enable", "false", false}},
    [PORT_STATISTICS] = {{"cleanup.policy", "compact", false}},
    [PORT_REJECTS] = {{"cleanup.policy", "delete", false}, {"retention.ms", "2592000000", false}},
};

static rd_kafka_resp_err_t create_once(struct admin *admin, enum port_topic topic, int32_t partitions,
                                       bool with_optional, char *words, size_t words_bytes)
{
    rd_kafka_NewTopic_t *fresh =
        rd_kafka_NewTopic_new(name_of(admin, topic), partitions, admin->options->replication, words, words_bytes);
    if (fresh == NULL) {
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    }
    for (const struct creation *c = creations[topic]; c->name != NULL; c++) {
        if (with_optional || !c->is_optional) {
            rd_kafka_NewTopic_set_config(fresh, c->name, c->value);
        }
    }
    if (topic != PORT_STATISTICS && admin->options->replication >= IN_SYNC_FROM_REPLICAS) {
        rd_kafka_NewTopic_set_config(fresh, "min.insync.replicas", "2");
    }
    struct request request = request_new(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(admin->handle, &fresh, 1, request.options, request.queue);
    rd_kafka_resp_err_t code = request_wait(admin, &request);
    const char *said = request_words(&request);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(request.event), &count);
        code = count > 0 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
        said = count > 0 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    }
    snprintf(words, words_bytes, "%s", said != NULL ? said : rd_kafka_err2str(code));
    request_end(&request);
    rd_kafka_NewTopic_destroy(fresh);
    return code;
}

/* A topic that was just made may not be known to the broker that answers next. */
static enum err await_topic(struct admin *admin, enum port_topic topic, struct err_info *info)
{
    int64_t end_ns = clock_steady_ns() + client_timeout_ms(admin->options) * 1000000;
    for (long pause_ms = 5;; pause_ms = pause_ms < AWAIT_MOST_MS ? 2 * pause_ms : AWAIT_MOST_MS) {
        int32_t partitions;
        TRY(admin_partitions(admin, topic, &partitions, info));
        struct port_bounds bounds;
        if (partitions > 0 && admin_bounds(admin, topic, partitions - 1, &bounds, info) == OK) {
            return OK;
        }
        if (clock_steady_ns() > end_ns) {
            return err_set(info, ERR_PEER,
                           "topic %s was created, but no broker knows it after %lld ms: see the brokers' logs",
                           name_of(admin, topic), (long long)client_timeout_ms(admin->options));
        }
        struct timespec pause = {0, pause_ms * 1000000};
        nanosleep(&pause, NULL); /* the broker's news travel by themselves: nothing to wait on */
    }
}

static enum err create(struct admin *admin, enum port_topic topic, int32_t partitions, struct err_info *info)
{
    char words[CLIENT_TEXT_BYTES];
    rd_kafka_resp_err_t code = create_once(admin, topic, partitions, true, words, sizeof words);
    if (code == RD_KAFKA_RESP_ERR_INVALID_CONFIG) {
        code = create_once(admin, topic, partitions, false, words, sizeof words);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        char what[CLIENT_TEXT_BYTES];
        snprintf(what, sizeof what, "creating topic %s with %d partitions and %d replicas", name_of(admin, topic),
                 partitions, admin->options->replication);
        return fail(admin, code, words, what, info);
    }
    return await_topic(admin, topic, info);
}

enum err admin_ensure(struct admin *admin, enum port_topic topic, bool *out_created, struct err_info *info)
{
    int32_t partitions;
    TRY(admin_partitions(admin, topic, &partitions, info));
    if (out_created != NULL) {
        *out_created = partitions == 0;
    }
    if (partitions > 0) {
        return OK;
    }
    if (!admin->options->topics_create || admin->options->is_mock) {
        return err_set(info, ERR_CONFIG,
                       "topic %s does not exist at %s and topics.create=false: create it, or set "
                       "topics.create=true",
                       name_of(admin, topic), admin->options->brokers);
    }
    int32_t wanted = admin->options->partitions;
    if (topic == PORT_JOURNAL) {
        TRY(admin_partitions(admin, PORT_DECLARATIONS, &wanted, info));
        if (wanted == 0) {
            return err_set(info, ERR_CONFIG,
                           "topic %s does not exist, so the number of partitions of %s is not known: create "
                           "it first",
                           name_of(admin, PORT_DECLARATIONS), name_of(admin, PORT_JOURNAL));
        }
    }
    return create(admin, topic, wanted, info);
}

/* ---- checks
 * ------------------------------------------------------------------------------------------------------------ */

static void warn(const struct admin *admin, const char *text)
{
    if (admin->options->log != NULL) {
        admin->options->log(admin->options->log_context, KAFKA_WARNING, "topic_setting", text);
    }
}

static enum err check_partitions(struct admin *admin, struct err_info *info)
{
    int32_t input;
    int32_t journal;
    TRY(admin_partitions(admin, PORT_DECLARATIONS, &input, info));
    TRY(admin_partitions(admin, PORT_JOURNAL, &journal, info));
    if (input != journal) {
        return err_set(
            info, ERR_CONFIG,
            "%s has %d partitions and %s has %d: journal partition p belongs to input partition p, so they must be "
            "equal; if the input has grown, add partitions to the journal; if the journal is new and empty, delete it "
            "and it is made again",
            name_of(admin, PORT_DECLARATIONS), input, name_of(admin, PORT_JOURNAL), journal);
    }
    return OK;
}

static enum err check_journal(struct admin *admin, struct err_info *info)
{
    struct topic_setting settings[] = {
        {.name = "cleanup.policy"}, {.name = "retention.ms"}, {.name = "retention.bytes"}};
    static const char *const needed[] = {"delete", "-1", "-1"};
    TRY(describe(admin, PORT_JOURNAL, settings, 3, info));
    for (size_t i = 0; i < 3; i++) {
        if (!settings[i].is_found || strcmp(settings[i].value, needed[i]) != 0) {
            return err_set(info, ERR_CONFIG,
                           "topic %s has %s=%s and must have %s=%s, or totals would be lost: kafka-configs.sh "
                           "--bootstrap-server %s --entity-type topics --entity-name %s --alter --add-config %s=%s",
                           name_of(admin, PORT_JOURNAL), settings[i].name,
                           settings[i].is_found ? settings[i].value : "?", settings[i].name, needed[i],
                           admin->options->brokers, name_of(admin, PORT_JOURNAL), settings[i].name, needed[i]);
        }
    }
    return OK;
}

static bool is_bounded(const struct topic_setting *type, const struct topic_setting *after)
{
    int64_t ms;
    return (type->is_found && strcmp(type->value, "LogAppendTime") == 0) ||
           (after->is_found && text_to_int64(text_of(after->value), &ms) && ms >= 0 && ms <= TIMESTAMP_AFTER_MAX_MS);
}

static enum err check_input(struct admin *admin, struct err_info *info)
{
    struct topic_setting settings[] = {
        {.name = "message.timestamp.type"}, {.name = "message.timestamp.after.max.ms"}, {.name = "retention.ms"}};
    const char *name = name_of(admin, PORT_DECLARATIONS);
    enum err err = describe(admin, PORT_DECLARATIONS, settings, 3, info);
    if (err != OK && admin->options->timestamp_trust) {
        warn(admin,
             "the settings of the input topic can't be read; input.timestamp.trust=true, so they are not needed");
        return OK;
    }
    if (err != OK) {
        return err_prefix(info, err, "input.timestamp.trust=false needs the settings of the input topic");
    }
    if (settings[2].is_found && strcmp(settings[2].value, "-1") != 0) {
        char text[512];
        snprintf(text, sizeof text,
                 "topic %s has retention.ms=%s: record timestamps are event times, so old declarations may be deleted "
                 "before "
                 "they are counted; -1 is advised",
                 name, settings[2].value);
        warn(admin, text);
    }
    if (!admin->options->timestamp_trust && !is_bounded(&settings[0], &settings[1])) {
        return err_set(info, ERR_CONFIG,
                       "topic %s accepts records dated more than an hour ahead (message.timestamp.type=%s, "
                       "message.timestamp.after.max.ms=%s), and one broken clock would close periods: set "
                       "message.timestamp.after.max.ms=3600000 on the topic, or input.timestamp.trust=true here",
                       name, settings[0].is_found ? settings[0].value : "?",
                       settings[1].is_found ? settings[1].value : "?");
    }
    return OK;
}

/* What is written for others: another policy is theirs to choose, but may not be what they think it is. */
static void look_at_output(struct admin *admin, enum port_topic topic, const char *policy, const char *effect)
{
    struct topic_setting setting = {.name = "cleanup.policy"};
    struct err_info info;
    if (describe(admin, topic, &setting, 1, &info) != OK || strcmp(setting.value, policy) == 0) {
        return; /* advice only: the right to read the settings is not asked for */
    }
    char text[512];
    snprintf(text, sizeof text, "topic %s has cleanup.policy=%s: %s; cleanup.policy=%s is advised",
             name_of(admin, topic), setting.value, effect, policy);
    warn(admin, text);
}

enum err admin_check(struct admin *admin, struct err_info *info)
{
    TRY(check_partitions(admin, info));
    if (admin->options->is_mock) {
        return OK;
    }
    TRY(check_journal(admin, info));
    look_at_output(admin, PORT_STATISTICS, "compact", "it grows for ever, or loses cells that did not change lately");
    look_at_output(admin, PORT_REJECTS, "delete", "it is not cut by age");
    return check_input(admin, info);
}

enum err admin_prepare(struct admin *admin, struct err_info *info)
{
    for (size_t i = 0; i < PORT_TOPICS; i++) { /* the input comes before the journal, which is shaped after it */
        TRY(admin_ensure(admin, (enum port_topic)i, NULL, info));
    }
    return admin_check(admin, info);
}

int64_t admin_batch_bytes(struct admin *admin)
{
    static const enum port_topic written[] = {PORT_JOURNAL, PORT_STATISTICS, PORT_REJECTS};
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        char text[ADMIN_SETTING_BYTES];
        struct err_info info;
        int64_t bytes;
        if (admin_setting(admin, written[i], "max.message.bytes", text, &info) != OK ||
            !text_to_int64(text_of(text), &bytes)) {
            return 0;
        }
        least = bytes < least ? bytes : least;
    }
    return least > BATCH_FRAME_BYTES ? least - BATCH_FRAME_BYTES : 1;
}
