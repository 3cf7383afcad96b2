/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "engine_inside.h"
#include "flow/invariant.h"
#include "flow/restore.h"
#include "flow/settle.h"
#include "ops/certificate.h"
#include "ops/metrics.h"

#include <string.h>

static int64_t sum_of(const struct engine *engine,
                      const struct counter *(*counter)(const struct worker_counters *, int), int index)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < engine->worker_count; i++)
        sum += counter_read(counter(worker_counters(engine->workers[i].worker), index));
    return sum;
}

static const struct counter *verdict_counter(const struct worker_counters *c, int v)
{
    return &c->verdicts[v];
}

static const struct counter *reject_counter(const struct worker_counters *c, int number)
{
    return &c->rejects[number];
}

static const struct counter *warning_counter(const struct worker_counters *c, int number)
{
    return &c->warnings[number];
}

static const struct counter *frame_counter(const struct worker_counters *c, int kind)
{
    return &c->frames[kind];
}

enum plain { PLAIN_RECORDS, PLAIN_BYTES, PLAIN_ITEMS, PLAIN_UNKNOWN, PLAIN_JOURNAL, PLAIN_PRESSURE };

static const struct counter *plain_counter(const struct worker_counters *c, int which)
{
    switch ((enum plain)which) {
    case PLAIN_RECORDS:
        return &c->records;
    case PLAIN_BYTES:
        return &c->bytes;
    case PLAIN_ITEMS:
        return &c->items;
    case PLAIN_UNKNOWN:
        return &c->unknown_fields;
    case PLAIN_JOURNAL:
        return &c->journal_bytes;
    case PLAIN_PRESSURE:
        return &c->backpressure_ms;
    }
    return &c->records;
}

static void put_rules(struct engine *engine, struct metrics_page *page)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        int number = settle_rule_number((enum rule)rule);
        const char *code = rule_rows[rule].code;
        enum severity severity = rules_severity(engine->options.rules, (enum rule)rule);
        if (severity == SEVERITY_REJECT)
            metrics_put_int(page, METRIC_rejects_total, sum_of(engine, reject_counter, number), METRICS_LABELS(code));
        else if (severity != SEVERITY_OFF && severity != SEVERITY_VERDICT)
            metrics_put_int(page, METRIC_warnings_total, sum_of(engine, warning_counter, number), METRICS_LABELS(code));
    }
}

static void put_workers(struct engine *engine, struct metrics_page *page)
{
    static const char *const kinds[] = {NULL, "open", "data", "snap", "skip", "mark"};
    for (int v = 0; v < VERDICTS; v++)
        metrics_put_int(page, METRIC_declarations_total, sum_of(engine, verdict_counter, v),
                        METRICS_LABELS(verdict_name((enum verdict)v)));
    put_rules(engine, page);
    for (int kind = FRAME_OPEN; kind <= FRAME_MARK; kind++)
        metrics_put_int(page, METRIC_journal_frames_total, sum_of(engine, frame_counter, kind),
                        METRICS_LABELS(kinds[kind]));
    metrics_put_int(page, METRIC_input_records_total, sum_of(engine, plain_counter, PLAIN_RECORDS), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_input_bytes_total, sum_of(engine, plain_counter, PLAIN_BYTES), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_items_total, sum_of(engine, plain_counter, PLAIN_ITEMS), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_unknown_fields_total, sum_of(engine, plain_counter, PLAIN_UNKNOWN), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_journal_bytes_total, sum_of(engine, plain_counter, PLAIN_JOURNAL), METRICS_NO_LABELS);
    metrics_put(page, METRIC_backpressure_seconds_total, (double)sum_of(engine, plain_counter, PLAIN_PRESSURE) / 1000,
                METRICS_NO_LABELS);
}

enum { HIST_ACK = STOPWATCH_STAGES, HIST_RESTORE, HISTS };

static const struct hist *hist_of(const struct worker_counters *counters, int which)
{
    return which == HIST_ACK       ? &counters->journal_ack
           : which == HIST_RESTORE ? &counters->restore
                                   : &counters->stages[which];
}

/* One histogram of all workers: they have the same buckets. */
static void sum_hist(const struct engine *engine, int which, struct hist *out)
{
    *out = (struct hist){0};
    for (int32_t i = 0; i < engine->worker_count; i++) {
        const struct hist *from = hist_of(worker_counters(engine->workers[i].worker), which);
        for (int b = 0; b <= HIST_BUCKETS; b++)
            counter_add(&out->bucket[b], counter_read(&from->bucket[b]));
        counter_add(&out->sum_us, counter_read(&from->sum_us));
    }
}

static void put_hists(struct engine *engine, struct metrics_page *page)
{
    struct hist hist;
    for (int stage = 0; stage < STOPWATCH_STAGES; stage++) {
        sum_hist(engine, stage, &hist);
        metrics_put_fine_hist(page, METRIC_stage_duration_seconds, &hist,
                              METRICS_LABELS(stopwatch_stage_name((enum stopwatch_stage)stage)));
    }
    sum_hist(engine, HIST_ACK, &hist);
    metrics_put_hist(page, METRIC_journal_ack_seconds, &hist, METRICS_NO_LABELS);
    sum_hist(engine, HIST_RESTORE, &hist);
    metrics_put_hist(page, METRIC_restore_seconds, &hist, METRICS_NO_LABELS);
}

static void put_partition(struct engine *engine, struct metrics_page *page, int32_t index)
{
    struct partition_status *status = &engine->statuses[index];
    char label[METRICS_INT_BYTES];
    metrics_label_int(label, index);
    int64_t position = counter_read(&status->position);
    int64_t high = port_kafka_high_watermark(&engine->port, index);
    metrics_put_int(page, METRIC_input_position, position, METRICS_LABELS(label));
    if (high >= 0) {
        metrics_put_int(page, METRIC_input_high_watermark, high, METRICS_LABELS(label));
        metrics_put_int(page, METRIC_consumer_lag_records, high > position ? high - position : 0,
                        METRICS_LABELS(label));
    }
    int64_t event_ms = counter_read(&status->event_ms);
    if (event_ms != INT64_MIN) {
        metrics_put(page, METRIC_event_lag_seconds, (double)(clock_wall_ms() - event_ms) / 1000, METRICS_LABELS(label));
        metrics_put(page, METRIC_watermark_timestamp_seconds,
                    (double)(event_ms - engine->options.config->time_future_bound_ms) / 1000, METRICS_LABELS(label));
    }
    int percent = restore_percent(status);
    metrics_put(page, METRIC_restore_progress_ratio, percent < 0 ? 1 : percent / 100.0, METRICS_LABELS(label));
}

/* A process that only publishes owns no partition, and a halted journal stops it all the same. */
static bool is_halted_for_publisher(struct engine *engine, int32_t index)
{
    if (engine->options.config->role != CONFIG_ROLE_PUBLISH)
        return false;
    int64_t position;
    struct err_info why;
    publisher_health(engine->publisher, index, &position, &why);
    return why.text[0];
}

static bool is_untrimmed(struct partition_status *status)
{
    pthread_mutex_lock(&status->lock);
    bool is = status->trim_trouble[0];
    pthread_mutex_unlock(&status->lock);
    return is;
}

static void put_partitions(struct engine *engine, struct metrics_page *page)
{
    int64_t epochs[PARTITION_CLAIMS] = {0};
    int64_t fenced = 0;
    int64_t halted[GUARDS] = {0};
    int64_t entries = 0;
    int64_t bytes = 0;
    int64_t raised = 0;
    int64_t unechoed = 0;
    int64_t untrimmed = 0;
    for (int32_t i = 0; i < engine->partitions; i++) {
        const struct partition_status *status = &engine->statuses[i];
        for (int claim = 0; claim < PARTITION_CLAIMS; claim++)
            epochs[claim] += counter_read(&status->epochs[claim]);
        fenced += counter_read(&status->fenced);
        halted[GUARD_JOURNAL_DAMAGED] += is_halted_for_publisher(engine, i);
        if (roster_owner(engine->roster, i) == ROSTER_NOBODY)
            continue;
        put_partition(engine, page, i);
        if (counter_read(&status->phase) == PARTITION_HALTED)
            halted[counter_read(&status->guard)]++;
        entries += counter_read(&status->ledger_entries);
        bytes += counter_read(&status->ledger_bytes);
        raised += counter_read(&status->floor_raised);
        unechoed += counter_read(&status->unechoed_groups);
        untrimmed += is_untrimmed(&engine->statuses[i]);
    }
    for (int claim = 0; claim < PARTITION_CLAIMS; claim++)
        metrics_put_int(page, METRIC_epochs_opened_total, epochs[claim],
                        METRICS_LABELS(partition_claim_name((enum partition_claim)claim)));
    metrics_put_int(page, METRIC_fenced_total, fenced, METRICS_NO_LABELS);
    for (int guard = GUARD_NONE + 1; guard < GUARDS; guard++)
        metrics_put_int(page, METRIC_partitions_halted, halted[guard], METRICS_LABELS(guard_name((enum guard)guard)));
    metrics_put_int(page, METRIC_ledger_entries, entries, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_ledger_floor_raised_total, raised, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_ledger_bytes, bytes, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_journal_unacked_groups, unechoed, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_journal_untrimmed, untrimmed, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_partitions_assigned, roster_count(engine->roster), METRICS_NO_LABELS);
}

static void put_publisher(struct engine *engine, struct metrics_page *page)
{
    const struct publisher_counters *counters = publisher_counters(engine->publisher);
    for (uint32_t view = 0; view < engine->options.plan->count; view++)
        metrics_put_int(page, METRIC_cells, counter_read(&counters->cells[view]),
                        METRICS_LABELS(engine->options.plan->views[view].name));
    metrics_put_int(page, METRIC_publish_keys_total, counter_read(&counters->publish_keys), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_publish_repairs_total, counter_read(&counters->repairs), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_publish_terms_total, counter_read(&counters->claims), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_history_cells, counter_read(&counters->history_cells), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_history_refused_total, counter_read(&counters->history_refused), METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_saturated_total, counter_read(&counters->saturated), METRICS_NO_LABELS);
    metrics_put_hist(page, METRIC_end_to_end_latency_seconds, &counters->end_to_end, METRICS_NO_LABELS);
    struct err_info why;
    enum engine_publishing state = engine_state_of_publisher(engine, engine_state_halt(engine, &why));
    for (int i = 0; i < ENGINE_PUBLISHINGS; i++)
        metrics_put_int(page, METRIC_publisher_state, (int)state == i,
                        METRICS_LABELS(engine_state_name((enum engine_publishing)i)));
    int64_t watermark_ms = counter_read(&counters->watermark_ms);
    if (watermark_ms != INT64_MIN)
        metrics_put(page, METRIC_statistics_watermark_timestamp_seconds, (double)watermark_ms / 1000,
                    METRICS_NO_LABELS);
    int64_t last_ms = counter_read(&counters->last_publish_ms);
    bool behind = counter_read(&counters->dirty) > 0;
    if (engine_state_publishes(engine))
        metrics_put(page, METRIC_publish_age_seconds,
                    behind && last_ms ? (double)(clock_forward_ms() - last_ms) / 1000 : 0, METRICS_NO_LABELS);
}

static void put_threads(struct engine *engine, struct metrics_page *page)
{
    char name[ENGINE_NAME_BYTES];
    for (int32_t i = 0; i <= engine->worker_count; i++) {
        engine_watch_name(engine, i, name);
        metrics_put(page, METRIC_thread_step_age_seconds, (double)watchdog_age_ms(engine->watchdog, i) / 1000,
                    METRICS_LABELS(name));
    }
    int64_t inputs = 0;
    for (int32_t i = 0; i < engine->worker_count; i++)
        inputs += counter_read(&worker_counters(engine->workers[i].worker)->input_stalls);
    metrics_put_int(page, METRIC_reading_stalls_total, inputs, METRICS_LABELS("declarations"));
    metrics_put_int(page, METRIC_reading_stalls_total,
                    counter_read(&publisher_counters(engine->publisher)->journal_stalls), METRICS_LABELS("journal"));
}

static void put_kafka(struct engine *engine, struct metrics_page *page)
{
    struct kafka_health health;
    port_kafka_health(&engine->port, &health);
    metrics_put_hist(page, METRIC_kafka_rtt_seconds, health.rtt, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_kafka_request_timeouts_total, health.request_timeouts, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_fetch_queue_bytes, health.fetch_queue_bytes, METRICS_NO_LABELS);
    static const char *const kinds[] = {"assigned", "revoked", "lost"};
    for (int kind = PORT_ASSIGNED; kind <= PORT_LOST; kind++)
        metrics_put_int(page, METRIC_rebalances_total, port_kafka_rebalances(&engine->port, (enum port_change)kind),
                        METRICS_LABELS(kinds[kind]));
}

/* The files are read each time: they are exchanged while the process runs. */
static void put_certificates(struct engine *engine, struct metrics_page *page)
{
    const char *listener = engine->options.config->http_tls_certificate;
    metrics_put_int(page, METRIC_certificate_refused, counter_read(&engine->listener_is_refused), METRICS_NO_LABELS);
    int64_t first = *listener ? certificate_expiry(listener) : INT64_MAX;
    for (size_t i = 0; i < engine->kafka.setting_count; i++) {
        const struct kafka_setting *setting = &engine->kafka.settings[i];
        if (strcmp(setting->key, "ssl.certificate.location") == 0) {
            int64_t expires = certificate_expiry(setting->value);
            first = expires < first ? expires : first;
        }
    }
    if (first != INT64_MAX)
        metrics_put_int(page, METRIC_certificate_expiry_timestamp_seconds, first, METRICS_NO_LABELS);
}

static void put_stream(struct engine *engine, struct metrics_page *page)
{
    struct engine_stream_figures figures;
    engine_stream_figures(engine, &figures);
    metrics_put_int(page, METRIC_stream_readers, figures.readers, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_stream_events_total, figures.events, METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_stream_dropped_total, figures.dropped, METRICS_NO_LABELS);
}

static void put_lists(struct engine *engine, struct metrics_page *page)
{
    char plan[ENGINE_NUMBER_BYTES];
    for (int i = 0; i < RELOADS; i++)
        metrics_put_int(page, METRIC_lists_reloads_total, counter_read(&engine->reloads[i]),
                        METRICS_LABELS(engine_state_reload((enum reload)i)));
    metrics_put_int(page, METRIC_lists_refused, counter_read(&engine->lists_are_refused), METRICS_NO_LABELS);
    metrics_put(page, METRIC_lists_loaded_timestamp_seconds, (double)counter_read(&engine->lists_ms) / 1000,
                METRICS_NO_LABELS);
    metrics_put_int(page, METRIC_plan_info, 1, METRICS_LABELS(engine_state_plan(&engine->plan_id, plan)));
}

void engine_metrics_handle(void *self, struct http_request *request, struct http_response *response)
{
    struct engine *engine = self;
    bool openmetrics = metrics_wants_openmetrics(request->accept);
    struct metrics_page page;
    metrics_begin(&page, openmetrics);
    char reason[ERR_TEXT_BYTES];
    if (engine_state_is_connected(engine, reason)) {
        put_workers(engine, &page);
        put_hists(engine, &page);
        put_partitions(engine, &page);
        put_publisher(engine, &page);
        put_threads(engine, &page);
        put_kafka(engine, &page);
    }
    for (int i = 0; i < INVARIANTS; i++)
        metrics_put_int(&page, METRIC_invariant_violations_total, invariant_count((enum invariant)i),
                        METRICS_LABELS(invariant_name((enum invariant)i)));
    metrics_put_int(&page, METRIC_heap_trims_total, counter_read(&engine->memory_trims), METRICS_NO_LABELS);
    put_certificates(engine, &page);
    put_lists(engine, &page);
    put_stream(engine, &page);
    metrics_put_process(&page);
    metrics_end(&page, &response->body);
    response->content_type = metrics_content_type(openmetrics);
}
