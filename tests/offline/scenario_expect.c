/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"
#include "base/memory.h"
#include "offline/scenario_inside.h"
#include "trade/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 256, KEYS_TOLD = 12, G_MG = 1000 };

/* ---- fields of a statistic ---- */

struct alias {
    const char *name;
    const char *field;
};

static const struct alias aliases[] = {
    {"value", "value_minor"},
    {"customs", "customs_value_minor"},
    {"mass", "net_mass_g"},
    {"gross", "gross_mass_g"},
    {"estimated", "estimated_net_mass_g"},
    {"supp", "supp_quantity_micro"},
    {"late", "late_items"},
    {"warned", "warned_items"},
    {"watermark", "watermark_ms"},
};

static bool ends_in(struct text text, const char *end)
{
    struct text tail = text_of(end);
    return text.length >= tail.length && memcmp(text.data + text.length - tail.length, tail.data, tail.length) == 0;
}

/* The value of a field as statistic_json writes it. */
static enum err wanted_text(struct scenario *scenario, struct text field, struct text value,
                            char out[static TEXT_BYTES], struct err_info *info)
{
    int64_t number;
    snprintf(out, TEXT_BYTES, "%.*s", TEXT_ARGS(value));
    if (ends_in(field, "_g")) {
        TRY(draft_mass(value, &number, info));
        if (number % G_MG)
            return scenario_error(scenario, info, "statistics have whole grams, not %.*s", TEXT_ARGS(value));
        snprintf(out, TEXT_BYTES, "%" PRId64, number / G_MG);
    } else if (ends_in(field, "_ms")) {
        TRY(scenario_time(scenario, value, &number, info));
        snprintf(out, TEXT_BYTES, "%" PRId64, number);
    } else if (ends_in(field, "_micro") && decimal_read(value, 6, &number) == DECIMAL_OK) {
        snprintf(out, TEXT_BYTES, "%" PRId64, number);
    }
    return OK;
}

static void actual_text(const json_t *value, char out[static TEXT_BYTES])
{
    if (json_is_string(value))
        snprintf(out, TEXT_BYTES, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(out, TEXT_BYTES, "%lld", (long long)json_integer_value(value));
    else
        snprintf(out, TEXT_BYTES, "%s", "none");
}

static enum err expect_field(struct scenario *scenario, struct text key, const json_t *statistic, struct text word,
                             struct err_info *info)
{
    struct text value = word;
    struct text field = text_cut(&value, '=');
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (text_is(field, aliases[i].name))
            field = text_of(aliases[i].field);
    }
    const json_t *found = json_object_getn(statistic, field.data, field.length);
    if (!found || field.length == word.length)
        return scenario_error(scenario, info, "\"%.*s\" is no field of a statistic", TEXT_ARGS(word));
    char wanted[TEXT_BYTES];
    char actual[TEXT_BYTES];
    TRY(wanted_text(scenario, field, value, wanted, info));
    actual_text(found, actual);
    if (strcmp(wanted, actual) != 0)
        scenario_fail(scenario, "%.*s: %.*s is %s, expected %s", TEXT_ARGS(key), TEXT_ARGS(field), actual, wanted);
    return OK;
}

/* Names the keys of the same view and frequency that are there: a misspelt one is found at once. */
static void tell_missing(struct scenario *scenario, struct text key)
{
    struct text rest = key;
    uint32_t head = text_cut(&rest, '|').length + 1;
    head += text_cut(&rest, '|').length;
    scenario_fail(scenario, "%.*s: %s", TEXT_ARGS(key),
                  published_is_tombstone(&scenario->published, key) ? "is a tombstone" : "was not published");
    int told = 0;
    const char *other;
    json_t *value;
    json_object_foreach(scenario->published.held, other, value)
    {
        if (head < key.length && strncmp(other, key.data, head) == 0 && !json_object_get(value, "deleted") &&
            told++ < KEYS_TOLD)
            fprintf(stderr, "    there is %s\n", other);
    }
}

/* expect KEY field=value... */
static enum err expect_key(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    struct text key = words.words[0];
    const json_t *statistic = published_find(&scenario->published, key);
    if (!statistic) {
        tell_missing(scenario, key);
        return OK;
    }
    for (int i = 1; i < words.count; i++)
        TRY(expect_field(scenario, key, statistic, words.words[i], info));
    return OK;
}

/* ---- keys ---- */

static bool has_word(struct scenario_words words, const char *text)
{
    for (int i = 0; i < words.count; i++) {
        if (text_is(words.words[i], text))
            return true;
    }
    return false;
}

/* Exactly these keys; `none` for none. */
static void expect_set(struct scenario *scenario, struct scenario_words words, const json_t *keys, const char *what)
{
    if (words.count == 1 && text_is(words.words[0], "none"))
        words.count = 0;
    for (int i = 0; i < words.count; i++) {
        if (!json_object_getn(keys, words.words[i].data, words.words[i].length))
            scenario_fail(scenario, "%.*s: not %s, expected", TEXT_ARGS(words.words[i]), what);
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)keys, key, value)
    {
        if (!has_word(words, key))
            scenario_fail(scenario, "%s: %s, not expected", key, what);
    }
}

/* The keys that were published since the last look, tombstones too. */
static enum err expect_emitted(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)info;
    expect_set(scenario, words, scenario->published.emitted, "emitted");
    published_look(&scenario->published);
    return OK;
}

/* The keys that have a record which is no tombstone. */
static enum err expect_keys(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)info;
    json_t *standing = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(scenario->published.held, key, value)
    {
        if (!json_object_get(value, "deleted"))
            json_object_set_new(standing, key, json_true());
    }
    expect_set(scenario, words, standing, "standing");
    json_decref(standing);
    return OK;
}

static enum err expect_tombstone(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)info;
    for (int i = 0; i < words.count; i++) {
        if (!published_is_tombstone(&scenario->published, words.words[i]))
            scenario_fail(scenario, "%.*s: %s, expected a tombstone", TEXT_ARGS(words.words[i]),
                          published_find(&scenario->published, words.words[i]) ? "has a record" : "was not published");
    }
    return OK;
}

static enum err expect_absent(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    (void)info;
    for (int i = 0; i < words.count; i++) {
        if (json_object_getn(scenario->published.held, words.words[i].data, words.words[i].length))
            scenario_fail(scenario, "%.*s: was published, expected never", TEXT_ARGS(words.words[i]));
    }
    return OK;
}

/* ---- months ---- */

/* Every record whose period ends in the month has the state; how many there are. */
static int month_records(struct scenario *scenario, struct text month, struct text state)
{
    int count = 0;
    int64_t wanted = strtoll(month.data, NULL, 10) * 100 + strtoll(month.data + 5, NULL, 10);
    const char *key;
    json_t *value;
    json_object_foreach(scenario->published.held, key, value)
    {
        if (json_object_get(value, "deleted") ||
            json_integer_value(json_object_get(value, "period_to")) / 100 != wanted)
            continue;
        const char *actual = json_string_value(json_object_get(value, "state"));
        if (!text_is(state, actual))
            scenario_fail(scenario, "%s: state is %s, expected %.*s", key, actual, TEXT_ARGS(state));
        count++;
    }
    return count;
}

/* expect months 2025-07=PROVISIONAL... */
static enum err expect_months(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    for (int i = 0; i < words.count; i++) {
        struct text state = words.words[i];
        struct text month = text_cut(&state, '=');
        if (month.length != 7 || month.data[4] != '-')
            return scenario_error(scenario, info, "write months as in 2025-07=OPEN");
        if (month_records(scenario, month, state) == 0)
            scenario_fail(scenario, "%.*s: no record of that month stands", TEXT_ARGS(month));
    }
    return OK;
}

/* ---- counts ---- */

struct sums {
    int64_t verdicts[VERDICTS];
    struct counts counts;
    bool is_idle[STAGE_PARTITIONS_MOST];
};

static enum err add_up(struct scenario *scenario, struct sums *out, struct err_info *info)
{
    *out = (struct sums){0};
    for (int32_t i = 0; i < scenario->stage.partitions; i++) {
        struct state state;
        struct err_info why;
        enum err err = stage_fold(&scenario->stage, i, &state, &why);
        for (int v = 0; v < VERDICTS; v++)
            out->verdicts[v] += state.verdicts[v];
        counts_add(&out->counts, &state.counts);
        state_fini(&state);
        if (err != OK)
            return scenario_error(scenario, info, "%s", why.text);
    }
    return OK;
}

/* NAME=COUNT of the words; -1: there is none. */
static int64_t wanted_count(struct scenario_words words, struct text name)
{
    for (int i = 0; i < words.count; i++) {
        struct text value = words.words[i];
        int64_t count;
        if (text_equal(text_cut(&value, '='), name) && text_to_int64(value, &count))
            return count;
    }
    return -1;
}

/* All that are not named are 0. */
static int expect_count(struct scenario *scenario, struct scenario_words words, struct text name, int64_t actual)
{
    int64_t wanted = wanted_count(words, name);
    if (actual != (wanted < 0 ? 0 : wanted))
        scenario_fail(scenario, "%.*s is %" PRId64 ", expected %" PRId64, TEXT_ARGS(name), actual,
                      wanted < 0 ? 0 : wanted);
    return wanted >= 0;
}

static enum err all_known(struct scenario *scenario, struct scenario_words words, int known, struct err_info *info)
{
    if (words.count == 1 && text_is(words.words[0], "none"))
        return OK;
    return known == words.count ? OK : scenario_error(scenario, info, "write NAME=COUNT, each name once");
}

static enum err expect_verdicts(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    struct sums *sums = memory_new(1, sizeof *sums);
    enum err err = add_up(scenario, sums, info);
    int known = 0;
    for (int i = 0; err == OK && i < VERDICTS; i++)
        known += expect_count(scenario, words, text_of(verdict_name((enum verdict)i)), sums->verdicts[i]);
    memory_free(sums);
    return err == OK ? all_known(scenario, words, known, info) : err;
}

static enum err expect_findings(struct scenario *scenario, struct scenario_words words, bool warnings,
                                struct err_info *info)
{
    struct sums *sums = memory_new(1, sizeof *sums);
    enum err err = add_up(scenario, sums, info);
    int known = 0;
    for (int i = 0; err == OK && i < RULE_COUNT; i++) {
        const char *code = rule_rows[i].code;
        size_t number = strtoull(code + 4, NULL, 10);
        known += expect_count(scenario, words, text_of(code),
                              warnings ? sums->counts.warnings[number] : sums->counts.rejects[number]);
    }
    memory_free(sums);
    return err == OK ? all_known(scenario, words, known, info) : err;
}

static enum err expect_rejects(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return expect_findings(scenario, words, false, info);
}

static enum err expect_warnings(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    return expect_findings(scenario, words, true, info);
}

/* ---- time ---- */

static enum err expect_watermark(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    int64_t wanted = SCENARIO_NO_TIME;
    if (words.count != 1 || !scenario->stage.host)
        return scenario_error(scenario, info, "`expect watermark TIME`, while a process lives");
    if (!text_is(words.words[0], "none"))
        TRY(scenario_time(scenario, words.words[0], &wanted, info));
    int64_t actual = counter_read(&host_published(scenario->stage.host)->watermark_ms);
    char text[2][SCENARIO_TIME_BYTES] = {"none", "none"};
    if (actual != wanted)
        scenario_fail(scenario, "the watermark is %s, expected %s",
                      actual == INT64_MIN ? text[0] : scenario_time_text(actual, text[0]),
                      wanted == SCENARIO_NO_TIME ? text[1] : scenario_time_text(wanted, text[1]));
    return OK;
}

/* These partitions are idle, and no other. */
static enum err expect_idle(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    if (!scenario->stage.host)
        return scenario_error(scenario, info, "no process lives");
    for (int32_t i = 0; i < scenario->stage.partitions; i++) {
        char name[TEXT_BYTES];
        snprintf(name, sizeof name, "p%d", i);
        bool actual = counter_read(&host_status(scenario->stage.host, i)->is_idle) != 0;
        if (actual != has_word(words, name))
            scenario_fail(scenario, "%s is %s", name, actual ? "idle" : "not idle");
    }
    return OK;
}

/* ---- which ---- */

struct expectation {
    const char *name;
    enum err (*check)(struct scenario *scenario, struct scenario_words words, struct err_info *info);
};

static const struct expectation expectations[] = {
    {"keys-emitted", expect_emitted},
    {"keys", expect_keys},
    {"tombstone", expect_tombstone},
    {"absent", expect_absent},
    {"months", expect_months},
    {"verdicts", expect_verdicts},
    {"rejects", expect_rejects},
    {"warnings", expect_warnings},
    {"watermark", expect_watermark},
    {"idle", expect_idle},
    {"replays-equal", scenario_replays_equal},
};

enum err scenario_expect(struct scenario *scenario, struct scenario_words words, struct err_info *info)
{
    if (words.count == 0)
        return scenario_error(scenario, info, "expect what?");
    TRY(scenario_settle(scenario, info));
    struct text name = words.words[0];
    if (name.data[name.length - 1] == ':')
        name.length--;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        if (text_is(name, expectations[i].name))
            return expectations[i].check(scenario, (struct scenario_words){words.words + 1, words.count - 1}, info);
    }
    if (!memchr(name.data, '|', name.length))
        return scenario_error(scenario, info, "\"%.*s\" is neither an expectation nor a key", TEXT_ARGS(name));
    return expect_key(scenario, words, info);
}
