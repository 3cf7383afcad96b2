/* SPDX-License-Identifier: Apache-2.0
 * fuzz_statistic.c - what the publisher reads back from topic.statistics: the value and the key of a record, any bytes.
 *
 * Checks:  what statistic_read reads is what protobuf-c reads; what statistic_bytes_put writes is what protobuf-c packs; state,
 *          as_of and watermark are those of the message; a value that protobuf-c refuses is refused, and a field of number 0; a record set to zero
 *          has the content of an absent one; the day of a key lies in a month of the calendar
 */
#include "fuzz.h"

#include "base/buffer.h"
#include "flow/statistic.h"
#include "flow/statistic_bytes.h"
#include "flow/statistic_read.h"

static struct statistic_writer *writer(void)
{
    static struct view_plan plan;
    static struct reference *reference;
    static struct statistic_writer *made;
    struct err_info info;
    if (!made) {
        view_plan_default(&plan);
        CHECK_SAY(reference_load(NULL, NULL, &reference, &info) == OK, "%s", info.text);
        made = statistic_writer_new(&plan, reference, "CN", "CNY");
    }
    return made;
}

/* Both messages, packed by protobuf-c. */
static void compare(const Customs__V1__Statistic *a, const Customs__V1__Statistic *b)
{
    static struct buffer x, y;
    buffer_clear(&x);
    buffer_clear(&y);
    x.length = customs__v1__statistic__pack(a, buffer_reserve(&x, customs__v1__statistic__get_packed_size(a) + 1));
    y.length = customs__v1__statistic__pack(b, buffer_reserve(&y, customs__v1__statistic__get_packed_size(b) + 1));
    CHECK(x.length == y.length && memcmp(x.data, y.data, x.length) == 0);
}

static void check_bytes(const Customs__V1__Statistic *m)
{
    static struct buffer ours, theirs;
    buffer_clear(&ours);
    buffer_clear(&theirs);
    size_t most = statistic_bytes_most(m);
    uint8_t *begin = buffer_reserve(&ours, most);
    ours.length = (size_t)(statistic_bytes_put(begin, m) - begin);
    CHECK(ours.length <= most);
    size_t packed = customs__v1__statistic__get_packed_size(m);
    theirs.length = customs__v1__statistic__pack(m, buffer_reserve(&theirs, packed + 1));
    CHECK(ours.length == theirs.length && memcmp(ours.data, theirs.data, ours.length) == 0);
}

/* protobuf-c takes it, no other program does. */
static bool has_field_zero(const Customs__V1__Statistic *m)
{
    for (unsigned i = 0; i < m->base.n_unknown_fields; i++) {
        if (m->base.unknown_fields[i].tag == 0)
            return true;
    }
    return false;
}

static void check_value(struct bytes value)
{
    static struct statistic_scratch scratch;
    struct statistic_time time;
    uint64_t content;
    Customs__V1__Statistic *m = customs__v1__statistic__unpack(NULL, value.length, value.data);
    bool is_read = statistic_read(value, &scratch);
    bool has_time = statistic_bytes_time(value, &time);
    bool has_content = statistic_content(value, &content);
    CHECK(!is_read || m);
    bool is_good = m && !has_field_zero(m);
    CHECK(has_content == is_good);
    CHECK(statistic_set_gone(writer(), value) == is_good);
    if (!is_good) {
        customs__v1__statistic__free_unpacked(m, NULL);
        return;
    }
    CHECK(has_time);
    CHECK(time.state == (unsigned)m->state && time.as_of == m->as_of && time.watermark_ms == m->watermark_ms);
    if (is_read) {
        CHECK(m->base.n_unknown_fields == 0);
        compare(&scratch.message, m);
    }
    if (m->base.n_unknown_fields == 0)
        check_bytes(m);
    struct statistic_stamp stamp = {.state = 1, .as_of = 5, .as_of_ms = 6, .watermark_ms = 7};
    struct bytes gone = statistic_pack(writer(), &stamp);
    CHECK(statistic_content(gone, &content) && content == STATISTIC_ABSENT);
    CHECK(statistic_bytes_time(gone, &time) && time.as_of == 5 && time.watermark_ms == 7);
    customs__v1__statistic__free_unpacked(m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int32_t day = 0;
    if (size > 0 && data[0] == '#') /* no tag of a field: a key follows */
        statistic_key_day((struct text){(const char *)data + 1, (uint32_t)size - 1}, NULL, &day);
    else
        check_value((struct bytes){data, size});
    return 0;
}
