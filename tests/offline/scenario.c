/* SPDX-License-Identifier: Apache-2.0 */
#include "offline/scenario.h"

#include "base/memory.h"
#include "cmd/moment.h"
#include "offline/scenario_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { DAY_MS = 86400000, DATE_CHARS = 10 };

/* ---- what went wrong ---- */

enum err scenario_error(struct scenario *scenario, struct err_info *info, const char *format, ...)
{
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return script_error(&scenario->script, &scenario->line, info, "%s", text);
}

void scenario_fail(struct scenario *scenario, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", scenario->script.path, scenario->line.number);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    scenario->failures++;
}

/* ---- times ---- */

bool scenario_duration(struct text text, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint32_t tail = (uint32_t)strlen(units[i].unit);
        int64_t count;
        if (text.length > tail && memcmp(text.data + text.length - tail, units[i].unit, tail) == 0 &&
            text_to_int64((struct text){text.data, text.length - tail}, &count) && count >= 0) {
            *out_ms = count * units[i].ms;
            return true;
        }
    }
    return false;
}

const char *scenario_time_text(int64_t ms, char out[static SCENARIO_TIME_BYTES])
{
    time_t seconds = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    strftime(out, SCENARIO_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &local);
    return out;
}

static bool is_duration_after(struct text text, int64_t *out_ms)
{
    return text.length > 1 && text.data[0] == '+' &&
           scenario_duration((struct text){text.data + 1, text.length - 1}, out_ms);
}

enum err scenario_time(struct scenario *scenario, struct text text, int64_t *out_ms, struct err_info *info)
{
    int64_t after_ms;
    bool has_clock = scenario->is_open;
    if (has_clock && is_duration_after(text, &after_ms)) {
        *out_ms = scenario->now_ms + after_ms;
        return OK;
    }
    char whole[2 * SCENARIO_TIME_BYTES];
    if (has_clock && text.length >= 5 && text.length < SCENARIO_TIME_BYTES && text.data[2] == ':') {
        scenario_time_text(scenario->now_ms, whole);
        snprintf(whole + DATE_CHARS + 1, SCENARIO_TIME_BYTES, "%.*s", TEXT_ARGS(text));
        text = text_of(whole);
    }
    struct err_info why;
    if (moment_ms(text, out_ms, &why) != OK)
        return scenario_error(scenario, info, "%s", why.text);
    return OK;
}

static bool looks_like_time(struct text text)
{
    return text.length >= 5 && text.data[0] >= '0' && text.data[0] <= '9' &&
           (text.data[2] == ':' || text.data[4] == '-');
}

/* ---- the stage ---- */

static enum err assemble_once(struct scenario *scenario, struct err_info *info)
{
    if (scenario->is_assembled)
        return OK;
    const struct config *config = &scenario->options->config;
    TRY(assemble(&scenario->assembly, config, false, info));
    TRY(moment_zone(text_of(config->timezone), info));
    scenario->is_assembled = true;
    return OK;
}

static void open_stage(struct scenario *scenario, int64_t now_ms)
{
    stage_open(&scenario->stage, &scenario->assembly, (int32_t)scenario->options->config.topics_partitions, now_ms);
    scenario->stage.snapshot_bytes = scenario->snapshot_bytes;
    stage_start(&scenario->stage);
    published_init(&scenario->published, scenario->stage.partitions);
    scenario->now_ms = now_ms;
    scenario->is_open = true;
}

enum err scenario_settle(struct scenario *scenario, struct err_info *info)
{
    struct err_info why;
    enum err err = scenario->stage.host ? stage_settle(&scenario->stage, &why) : OK;
    if (err == OK)
        err = published_read(&scenario->published, scenario->stage.world, &why);
    return err == OK ? OK : scenario_error(scenario, info, "%s", why.text);
}

enum err scenario_partition(struct scenario *scenario, struct text word, int32_t *out, struct err_info *info)
{
    int64_t number;
    if (word.length < 2 || word.data[0] != 'p' ||
        !text_to_int64((struct text){word.data + 1, word.length - 1}, &number) || number < 0 ||
        number >= scenario->stage.partitions)
        return scenario_error(scenario, info, "\"%.*s\": partitions are p0 to p%d", TEXT_ARGS(word),
                              scenario->stage.partitions - 1);
    *out = (int32_t)number;
    return OK;
}

static enum err pass(struct scenario *scenario, int64_t now_ms, struct err_info *info)
{
    if (now_ms < scenario->now_ms)
        return scenario_error(scenario, info, "time does not go back; `clock back` sets the clock");
    stage_pass(&scenario->stage, now_ms);
    scenario->now_ms = now_ms;
    return OK;
}

/* ---- lines ---- */

static enum err step_set(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    char key[CONFIG_KEY_BYTES];
    char value[CONFIG_LINE_BYTES_MAX];
    char origin[CONFIG_KEY_BYTES];
    if (scenario->is_assembled || words.count != 2)
        return scenario_error(scenario, info, "`set KEY VALUE` stands before all other lines");
    snprintf(key, sizeof key, "%.*s", TEXT_ARGS(words.words[0]));
    snprintf(value, sizeof value, "%.*s", TEXT_ARGS(words.words[1]));
    snprintf(origin, sizeof origin, "%s:%d", scenario->script.path, scenario->line.number);
    return config_set(&scenario->options->config, key, value, origin, info);
}

static enum err step_snapshots(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    if (scenario->is_open || words.count != 1 || !text_to_int64(words.words[0], &scenario->snapshot_bytes))
        return scenario_error(scenario, info, "`snapshots BYTES` stands before the first `clock`");
    return OK;
}

/* clock TIME · clock back DURATION · clock ahead DURATION */
static enum err step_clock(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    int64_t ms;
    if (words.count == 1) {
        TRY(scenario_time(scenario, words.words[0], &ms, info));
        if (scenario->is_open)
            return pass(scenario, ms, info);
        open_stage(scenario, ms);
        return OK;
    }
    bool back = words.count == 2 && text_is(words.words[0], "back");
    bool ahead = words.count == 2 && text_is(words.words[0], "ahead");
    if (!scenario->is_open || !(back || ahead) || !scenario_duration(words.words[1], &ms))
        return scenario_error(scenario, info, "`clock TIME`, `clock back 1h` or `clock ahead 1h`");
    stage_set_clock(&scenario->stage, back ? -ms : ms);
    scenario->now_ms += back ? -ms : ms;
    return OK;
}

static enum err step_settle(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)words;
    return scenario_settle(scenario, info);
}

/* kill · kill after N */
static enum err step_kill(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    int64_t appends = 0;
    if (words.count > 0 && (words.count != 2 || !text_is(words.words[0], "after") ||
                            !text_to_int64(words.words[1], &appends) || appends < 1))
        return scenario_error(scenario, info, "`kill` or `kill after N`");
    if (!scenario->stage.host)
        return scenario_error(scenario, info, "no process lives");
    if (appends)
        stage_step(&scenario->stage, (size_t)appends);
    stage_kill(&scenario->stage);
    return OK;
}

static enum err step_start(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)words;
    if (scenario->stage.host)
        return scenario_error(scenario, info, "a process lives");
    stage_start(&scenario->stage);
    return OK;
}

static enum err step_restart(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    TRY(step_kill(scenario, words, info));
    return step_start(scenario, words, info);
}

enum place { PLACE_AWAY, PLACE_BACK, PLACE_HOLD, PLACE_RELEASE };

static enum err step_place(struct scenario *scenario, struct scenario_words words, enum place place,
                           struct err_info *info)
{
    if (words.count == 0)
        return scenario_error(scenario, info, "which partition?");
    for (int i = 0; i < words.count; i++) {
        int32_t partition;
        TRY(scenario_partition(scenario, words.words[i], &partition, info));
        switch (place) {
        case PLACE_AWAY:
            stage_take_away(&scenario->stage, partition);
            break;
        case PLACE_BACK:
            stage_give_back(&scenario->stage, partition);
            break;
        case PLACE_HOLD:
            scenario->is_held[partition] = true;
            break;
        case PLACE_RELEASE:
            scenario_release(scenario, partition);
            break;
        }
    }
    return OK;
}

static enum err step_away(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return step_place(scenario, words, PLACE_AWAY, info);
}

static enum err step_back(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return step_place(scenario, words, PLACE_BACK, info);
}

static enum err step_hold(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return step_place(scenario, words, PLACE_HOLD, info);
}

static enum err step_release(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return step_place(scenario, words, PLACE_RELEASE, info);
}

/* reload FOLDER · reload FOLDER refused */
static enum err step_reload(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    bool must_refuse = words.count == 2 && text_is(words.words[1], "refused");
    if (words.count != 1 && !must_refuse)
        return scenario_error(scenario, info, "`reload FOLDER` or `reload FOLDER refused`");
    char folder[CONFIG_LINE_BYTES_MAX];
    snprintf(folder, sizeof folder, "%.*s", TEXT_ARGS(words.words[0]));
    struct err_info why;
    bool refused = stage_reload(&scenario->stage, folder, &why) != OK;
    if (refused && !must_refuse)
        scenario_fail(scenario, "the lists of %s are refused: %s", folder, why.text);
    if (!refused && must_refuse)
        scenario_fail(scenario, "the lists of %s are taken, expected refused", folder);
    return OK;
}

struct step {
    const char *verb;
    enum err (*take)(struct scenario *scenario, struct scenario_words words, struct err_info *info);
};

static const struct step steps[] = {
    {"set", step_set},       {"snapshots", step_snapshots}, {"clock", step_clock},       {"settle", step_settle},
    {"kill", step_kill},     {"start", step_start},         {"restart", step_restart},   {"away", step_away},
    {"back", step_back},     {"hold", step_hold},           {"release", step_release},   {"replay", scenario_replay},
    {"load", scenario_load}, {"reload", step_reload},       {"expect", scenario_expect},
};

static enum err take_step(struct scenario *scenario, struct text verb, struct scenario_words words,
                          struct err_info *info)
{
    bool is_early = text_is(verb, "set") || text_is(verb, "snapshots");
    if (!is_early)
        TRY(assemble_once(scenario, info));
    if (!is_early && !scenario->is_open && !text_is(verb, "clock"))
        return scenario_error(scenario, info, "the first step is `clock TIME`");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (text_is(verb, steps[i].verb))
            return steps[i].take(scenario, words, info);
    }
    return scenario_declare(scenario, verb, words, -1, info);
}

/* [TIME] [pN] VERB WORD... */
static enum err take_line(struct scenario *scenario, struct err_info *info)
{
    const struct script_line *line = &scenario->line;
    int at = 0;
    int32_t partition = -1;
    int64_t ms;
    if (scenario->is_open && looks_like_time(line->words[at])) {
        TRY(scenario_time(scenario, line->words[at++], &ms, info));
        TRY(pass(scenario, ms, info));
    }
    if (scenario->is_open && at < line->count && line->words[at].data[0] == 'p' && line->words[at].length > 1 &&
        line->words[at].data[1] >= '0' && line->words[at].data[1] <= '9')
        TRY(scenario_partition(scenario, line->words[at++], &partition, info));
    if (at == line->count)
        return scenario_error(scenario, info, "there is nothing to do in this line");
    struct scenario_words words = {line->words + at + 1, line->count - at - 1};
    if (partition >= 0)
        return scenario_declare(scenario, line->words[at], words, partition, info);
    return take_step(scenario, line->words[at], words, info);
}

/* ---- what is left behind ---- */

static bool write_input_line(FILE *file, const struct scenario *scenario, const struct scenario_record *record)
{
    json_t *line =
        json_pack("{s:i, s:I, s:s%}", "partition", record->partition, "timestamp_ms", (json_int_t)record->timestamp_ms,
                  "id", scenario->bytes.data + record->at, record->key_bytes);
    bool good = json_dumpf(line, file, JSON_COMPACT) == 0 && fputc('\n', file) != EOF;
    json_decref(line);
    return good;
}

static enum err write_inputs(const struct scenario *scenario, const char *path, struct err_info *info)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL;
    for (size_t i = 0; good && i < scenario->record_count; i++)
        good = write_input_line(file, scenario, &scenario->records[i]);
    good = file && fclose(file) == 0 && good;
    return good ? OK : err_set(info, ERR_CONFIG, "%s can't be written", path);
}

static enum err write_dump(const struct scenario *scenario, const char *path, struct err_info *info)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL;
    const char *key;
    json_t *value;
    json_object_foreach(scenario->published.held, key, value)
    {
        good = good && json_dumpf(value, file, JSON_COMPACT) == 0 && fputc('\n', file) != EOF;
    }
    good = file && fclose(file) == 0 && good;
    return good ? OK : err_set(info, ERR_CONFIG, "%s can't be written", path);
}

static enum err run_lines(struct scenario *scenario, struct err_info *info)
{
    for (;;) {
        TRY(script_next(&scenario->script, &scenario->line, info));
        if (scenario->line.count == 0)
            return OK;
        TRY(take_line(scenario, info));
    }
}

enum err scenario_run(struct options *options, const char *path, const char *dump, const char *inputs,
                      struct err_info *info)
{
    struct scenario *scenario = memory_new(1, sizeof *scenario);
    scenario->options = options;
    wire_init();
    enum err err = script_open(path, &scenario->script, info);
    if (err == OK)
        err = run_lines(scenario, info);
    if (err == OK && !scenario->is_open)
        err = err_set(info, ERR_CONFIG, "%s: there is no step", path);
    if (err == OK)
        err = scenario_settle(scenario, info);
    if (err == OK && dump)
        err = write_dump(scenario, dump, info);
    if (err == OK && inputs)
        err = write_inputs(scenario, inputs, info);
    if (err == OK && scenario->failures)
        err = err_set(info, ERR_BROKEN, "%s: %d expectations do not hold", path, scenario->failures);
    published_fini(&scenario->published);
    stage_close(&scenario->stage);
    assemble_fini(&scenario->assembly);
    scenario_input_fini(scenario);
    script_close(&scenario->script);
    memory_free(scenario);
    return err;
}
