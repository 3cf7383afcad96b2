/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reject_filter.h"

#include "cmd/moment.h"
#include "trade/rules.h"

static bool is_code(struct text code)
{
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        struct text known = text_of(rule_rows[rule].code);
        if (text_equal(code, known) || text_equal(code, text_cut(&known, '-')))
            return true;
    }
    return false;
}

/* The plain ones: a text that is looked for as it stands. */
static struct text *text_place(struct reject_filter *filter, struct text name)
{
    struct {
        const char *name;
        struct text *place;
    } const places[] = {
        {"field", &filter->field}, {"id", &filter->id}, {"office", &filter->office}, {"plan", &filter->plan}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (text_is(name, places[i].name))
            return places[i].place;
    }
    return NULL;
}

static enum err read_condition(struct reject_filter *filter, struct text condition, struct err_info *info)
{
    struct text value = condition;
    struct text name = text_cut(&value, '=');
    struct text *place = text_place(filter, name);
    if (text_is(name, "code")) {
        filter->code = value;
        return is_code(value) ? OK
                              : err_set(info, ERR_CONFIG, "--where code=%.*s: there is no such rule (docs/RULES.md)",
                                        TEXT_ARGS(value));
    }
    if (place && value.length > 0) {
        *place = value;
        return OK;
    }
    if (text_is(name, "partition") && text_to_int64(value, &filter->partition) && filter->partition >= 0)
        return OK;
    if (text_is(name, "from") || text_is(name, "to")) {
        enum err err = moment_ms(value, text_is(name, "from") ? &filter->from_ms : &filter->to_ms, info);
        return err == OK ? OK : err_prefix(info, ERR_CONFIG, "--where %.*s", TEXT_ARGS(condition));
    }
    return err_set(info, ERR_CONFIG,
                   "--where \"%.*s\": write code=STR-004 (or code=STR), field=items.hs_code, id=ID, office=CODE, "
                   "plan=DIGITS, partition=N, from=TIME, to=TIME, with commas between",
                   TEXT_ARGS(condition));
}

enum err reject_filter_read(const char *where, struct reject_filter *out, struct err_info *info)
{
    struct text rest = text_of(where ? where : "");
    *out = (struct reject_filter){.partition = -1, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    while (rest.length > 0)
        TRY(read_condition(out, text_trim(text_cut(&rest, ',')), info));
    return OK;
}

const char *reject_filter_field(const char *field, char out[static REJECT_FILTER_FIELD_BYTES])
{
    size_t length = 0;
    bool within = false;
    for (const char *at = field; *at && length < REJECT_FILTER_FIELD_BYTES - 1; at++) {
        within = within || *at == '[';
        if (!within)
            out[length++] = *at;
        within = within && *at != ']';
    }
    out[length] = '\0';
    return length ? out : "-";
}

/* One finding must have both, the code and the field. */
static bool has_finding(const struct reject_filter *filter, const Customs__V1__Reject *message)
{
    char field[REJECT_FILTER_FIELD_BYTES];
    for (size_t i = 0; i < message->n_findings; i++) {
        const Customs__V1__Finding *finding = message->findings[i];
        struct text group = text_of(finding->code);
        bool is_code = filter->code.length == 0 || text_is(filter->code, finding->code) ||
                       text_equal(filter->code, text_cut(&group, '-'));
        bool is_field = filter->field.length == 0 || text_is(filter->field, finding->field) ||
                        text_is(filter->field, reject_filter_field(finding->field, field));
        if (is_code && is_field)
            return true;
    }
    return filter->code.length == 0 && filter->field.length == 0;
}

bool reject_filter_wants(const struct reject_filter *filter, const Customs__V1__Reject *message)
{
    struct text plan = text_of(message->plan);
    if (plan.length > filter->plan.length)
        plan.length = filter->plan.length;
    return (filter->partition < 0 || filter->partition == message->partition) &&
           message->timestamp_ms >= filter->from_ms && message->timestamp_ms < filter->to_ms &&
           text_equal(filter->plan, plan) && (filter->id.length == 0 || text_is(filter->id, message->declaration_id)) &&
           has_finding(filter, message);
}
