/* SPDX-License-Identifier: Apache-2.0 */
#include "query/condition.h"

#include "flow/cell.h"
#include "trade/trade_class.h"

static bool is_flow_total(const struct condition *condition)
{
    return strcmp(condition->aspect.name, "flow") == 0 && condition->value_count == 1 &&
           text_is(condition->values[0].from, "T");
}

/* "01-24" of a commodity: both ends with the digits of the aspect. */
static enum err read_range(struct condition *condition, struct text text, struct condition_value *value,
                           struct err_info *info)
{
    uint32_t digits = aspect_commodity_digits(text_of(condition->aspect.name));
    struct text to = text;
    struct text from = text_cut(&to, '-');
    *value = (struct condition_value){text, text};
    if (digits == 0)
        return OK;
    if (to.length == 0)
        to = from;
    if (from.length != digits || to.length != digits || !text_is_digits(from) || !text_is_digits(to))
        return err_set(info, ERR_CONFIG, "--where %s=%.*s: %u digits are wanted, or two such codes with - between",
                       condition->aspect.name, TEXT_ARGS(text), digits);
    if (memcmp(from.data, to.data, digits) > 0)
        return err_set(info, ERR_CONFIG, "--where %s=%.*s: the range ends before it begins", condition->aspect.name,
                       TEXT_ARGS(text));
    *value = (struct condition_value){from, to};
    return OK;
}

void condition_compose(const struct condition_groups *groups, struct text group, struct composition *out)
{
    composition_add(out, groups->reference, group, groups->date);
    composition_remove(out, groups->reporter);
}

static enum err read_group(struct condition *condition, struct text group, const struct condition_groups *groups,
                           struct err_info *info)
{
    if (!groups->reference || !composition_known(groups->reference, group))
        return err_set(info, ERR_CONFIG,
                       "--where partner_group=%.*s: country_groups.csv of reference.dir has no such group",
                       TEXT_ARGS(group));
    condition_compose(groups, group, &condition->composition);
    return OK;
}

/* T adds the others up, so it stands alone. */
static enum err check_flow(const struct condition *condition, struct text text, struct err_info *info)
{
    enum flow flow;
    if (flow_of_name(text, &flow) && (flow == FLOW_T ? condition->value_count == 0 : !is_flow_total(condition)))
        return OK;
    return err_set(info, ERR_CONFIG, "--where flow=%.*s: there are M, X, RM, RX with + between, or T alone",
                   TEXT_ARGS(text));
}

static enum err read_value(struct condition *condition, struct text text, const struct condition_groups *groups,
                           struct err_info *info)
{
    if (condition->value_count == CONDITION_VALUES_MOST)
        return err_set(info, ERR_CONFIG, "--where %s: more than %d values", condition->aspect.name,
                       CONDITION_VALUES_MOST);
    if (condition->aspect.kind == ASPECT_GROUP)
        TRY(read_group(condition, text, groups, info));
    if (condition->aspect.kind == ASPECT_CLASS && !trade_class_known(text))
        return err_set(info, ERR_CONFIG, "--where trade_class=%.*s: there are ECOMMERCE and OTHER", TEXT_ARGS(text));
    if (strcmp(condition->aspect.name, "flow") == 0)
        TRY(check_flow(condition, text, info));
    TRY(read_range(condition, text, &condition->values[condition->value_count], info));
    condition->value_count++;
    return OK;
}

static enum err read_condition(struct text text, const char *key, const struct condition_groups *groups,
                               struct condition *out, struct err_info *info)
{
    struct text values = text;
    struct text name = text_trim(text_cut(&values, '='));
    out->value_count = 0;
    out->composition.count = 0;
    if (!memchr(text.data, '=', text.length))
        return err_set(info, ERR_CONFIG, "--where %.*s: write NAME=VALUE, like flow=M+X or hs2=01-24", TEXT_ARGS(text));
    if (!aspect_find(name, key, &out->aspect) || aspect_is_time(&out->aspect)) {
        struct buffer known = {0};
        aspect_names(key, &known);
        enum err err = err_set(info, ERR_CONFIG, "--where %.*s: the view has %.*s", TEXT_ARGS(name), (int)known.length,
                               (const char *)known.data);
        buffer_fini(&known);
        return err;
    }
    if (values.length == 0) /* the absent code */
        return read_value(out, values, groups, info);
    while (values.length > 0)
        TRY(read_value(out, text_trim(text_cut(&values, '+')), groups, info));
    return OK;
}

enum err conditions_read(struct text where, const char *key, const struct condition_groups *groups,
                         struct conditions *out, struct err_info *info)
{
    out->count = 0;
    while (where.length > 0) {
        if (out->count == CONDITIONS_MOST)
            return err_set(info, ERR_CONFIG, "--where: more than %d conditions", CONDITIONS_MOST);
        TRY(read_condition(text_trim(text_cut(&where, ',')), key, groups, &out->list[out->count], info));
        out->count++;
    }
    return OK;
}

static bool is_between(struct text value, const struct condition_value *range)
{
    if (text_equal(value, range->from))
        return true;
    return value.length == range->from.length && value.length == range->to.length && value.length > 0 &&
           memcmp(value.data, range->from.data, value.length) >= 0 &&
           memcmp(value.data, range->to.data, value.length) <= 0;
}

bool condition_holds(const struct condition *condition, const struct record *record, struct buffer *scratch)
{
    buffer_clear(scratch);
    if (is_flow_total(condition))
        return true;
    aspect_put(&condition->aspect, record, 0, scratch);
    struct text value = {(const char *)scratch->data, (uint32_t)scratch->length};
    if (condition->aspect.kind == ASPECT_GROUP)
        return composition_has(&condition->composition, value);
    for (uint32_t i = 0; i < condition->value_count; i++) {
        if (is_between(value, &condition->values[i]))
            return true;
    }
    return false;
}

bool condition_fixes(const struct condition *condition, uint32_t part)
{
    return condition->aspect.kind == ASPECT_PART && condition->aspect.part == part && condition->value_count == 1 &&
           text_equal(condition->values[0].from, condition->values[0].to) && !is_flow_total(condition);
}
