/* SPDX-License-Identifier: Apache-2.0
 * librdkafka calls its mock API unstable: all use of it is in this file. */
#include "kafka/mock.h"

#include "base/memory.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct mock {
    rd_kafka_t *handle; /* the cluster needs one to live in */
    rd_kafka_mock_cluster_t *cluster;
};

static enum err create_topics(const struct mock *mock, const struct kafka_options *options, struct err_info *info)
{
    for (size_t i = 0; i < PORT_TOPICS; i++) {
        if (options->topics[i] == NULL) {
            continue;
        }
        rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(mock->cluster, options->topics[i], options->partitions, 1);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return err_set(info, ERR_FATAL, "the in-process broker can't make topic %s with %d partitions: %s",
                           options->topics[i], options->partitions, rd_kafka_err2str(code));
        }
    }
    return OK;
}

enum err mock_start(const struct kafka_options *options, int32_t brokers, struct mock **out, struct err_info *info)
{
    if (options->partitions < 1 || brokers < 1) {
        return err_set(info, ERR_CONFIG, "the in-process broker needs at least 1 partition and 1 broker, not %d and %d",
                       options->partitions, brokers);
    }
    struct mock *mock = memory_new(1, sizeof *mock);
    char words[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "client.id", "dryport-mock", NULL, 0);
    rd_kafka_conf_set_log_cb(conf, NULL);
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof words);
    if (mock->handle == NULL) {
        rd_kafka_conf_destroy(conf);
        mock_stop(mock);
        return err_set(info, ERR_FATAL, "librdkafka can't start the in-process broker: %s", words);
    }
    mock->cluster = rd_kafka_mock_cluster_new(mock->handle, brokers);
    if (mock->cluster == NULL) {
        mock_stop(mock);
        return err_set(info, ERR_FATAL, "librdkafka can't start the in-process broker: no loopback port to listen on");
    }
    enum err err = create_topics(mock, options, info);
    if (err != OK) {
        mock_stop(mock);
        return err;
    }
    *out = mock;
    return OK;
}

void mock_stop(struct mock *mock)
{
    if (mock == NULL) {
        return;
    }
    if (mock->cluster != NULL) {
        rd_kafka_mock_cluster_destroy(mock->cluster);
    }
    if (mock->handle != NULL) {
        rd_kafka_destroy(mock->handle);
    }
    memory_free(mock);
}

const char *mock_brokers(const struct mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

enum err mock_topic(struct mock *mock, const char *name, int32_t partitions)
{
    return client_err(rd_kafka_mock_topic_create(mock->cluster, name, partitions, 1));
}

void mock_set_down(struct mock *mock, bool is_down)
{
    if (is_down) {
        rd_kafka_mock_broker_set_down(mock->cluster, -1);
    } else {
        rd_kafka_mock_broker_set_up(mock->cluster, -1);
    }
}

void mock_fail(struct mock *mock, int16_t api_key, int code, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_mock_push_request_errors(mock->cluster, api_key, 1, (rd_kafka_resp_err_t)code);
    }
}
