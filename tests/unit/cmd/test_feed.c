/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/feed.h"
#include "cmd/file_writer.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
static char path[128];
static struct err_info info;

static void setup(void)
{
    wire_init();
    snprintf(folder, sizeof folder, "/tmp/dryport-feed-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(feed, .init = setup, .fini = teardown);

static const char *file_named(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *data, size_t bytes)
{
    FILE *file = fopen(file_named(name), "wb");
    cr_assert_eq(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

/* Reads to the end or the error; returns the number of records. */
static int read_all(struct mapping *mapping, enum err *out_err)
{
    struct feed *feed;
    struct feed_record record;
    bool more = true;
    int count = 0;
    *out_err = feed_open(path, mapping, &feed, &info);
    if (*out_err != OK)
        return 0;
    while ((*out_err = feed_next(feed, &record, &more, &info)) == OK && more)
        cr_assert_eq(record.number, (uint64_t)++count);
    feed_close(feed);
    return count;
}

/* Writes `count` declarations, with ids of growing length, through a file_writer. */
static void write_records(const char *name, int count)
{
    struct file_writer *writer;
    struct buffer buffer = {0};
    static const char id[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    cr_assert_eq(file_writer_open(file_named(name), &writer, &info), OK);
    for (int i = 0; i < count; i++) {
        struct declaration declaration = {.declaration_id = {id, (uint32_t)(i % 26)}, .version = (uint32_t)i};
        buffer_clear(&buffer);
        wire_encode(&declaration, &buffer);
        cr_assert_eq(file_writer_add(writer, buffer_bytes(&buffer), &info), OK);
    }
    cr_assert_eq(file_writer_finish(writer, &info), OK);
    file_writer_close(writer);
    buffer_fini(&buffer);
}

Test(feed, missing_file_and_unknown_format_are_config_errors)
{
    enum err err;
    file_named("x.pb");
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_CONFIG);
    file_named("x.json");
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_CONFIG);
    cr_assert(strstr(info.text, "names end in .pb or .csv"));
}

Test(feed, csv_without_a_map_is_a_config_error)
{
    enum err err;
    write_file("x.csv", "a\n1\n", 4);
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_CONFIG);
    cr_assert(strstr(info.text, "--map"));
}

Test(feed, file_cut_inside_a_record_names_record_and_byte)
{
    enum err err;
    write_file("x.pb", "\x02\x10\x01\x05\x10", 5);
    cr_assert_eq(read_all(NULL, &err), 1);
    cr_assert_eq(err, ERR_DATA);
    cr_assert(strstr(info.text, "record 2 at byte 3: the file ends inside this record"), "%s", info.text);
}

Test(feed, over_long_and_huge_lengths_are_errors)
{
    enum err err;
    write_file("x.pb", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11);
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_DATA);
    write_file("x.pb", "\xFF\xFF\xFF\xFF\x0F", 5);
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_DATA);
    cr_assert(strstr(info.text, "64 MiB"));
}

Test(feed, truncated_and_damaged_zstd_are_errors_at_every_length)
{
    enum err err;
    write_records("x.pb.zst", 50);
    FILE *file = fopen(path, "rb");
    char bytes[8192];
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 4; cut < length; cut++) {
        write_file("x.pb.zst", bytes, cut);
        read_all(NULL, &err);
        cr_assert_eq(err, ERR_DATA, "cut at %zu of %zu", cut, length);
    }
    bytes[length / 2] = (char)(bytes[length / 2] ^ 0x55);
    write_file("x.pb.zst", bytes, length);
    read_all(NULL, &err);
    cr_assert_eq(err, ERR_DATA);
}

Test(feed, record_that_does_not_decode_is_given_as_bytes)
{
    write_file("x.pb", "\x02\x0B\x01\x02\x10\x07", 6);
    struct feed *feed;
    struct feed_record record;
    bool more;
    cr_assert_eq(feed_open(path, NULL, &feed, &info), OK);
    cr_assert_eq(feed_next(feed, &record, &more, &info), OK);
    cr_assert(more && record.result == WIRE_MALFORMED && !record.declaration && record.bytes.length == 2);
    cr_assert_eq(feed_next(feed, &record, &more, &info), OK);
    cr_assert(more && record.result == WIRE_OK && record.declaration->version == 7);
    cr_assert_eq(feed_next(feed, &record, &more, &info), OK);
    cr_assert_not(more);
    feed_close(feed);
}

Test(feed, what_is_written_is_read_again_plain_and_zstd)
{
    enum err err;
    write_records("x.pb", 40000); /* more than one read */
    cr_assert_eq(read_all(NULL, &err), 40000);
    cr_assert_eq(err, OK, "%s", info.text);
    unlink(path);
    write_records("x.pb.zst", 40000);
    cr_assert_eq(read_all(NULL, &err), 40000);
    cr_assert_eq(err, OK, "%s", info.text);
    unlink(path);
    write_records("x.pb", 0);
    cr_assert_eq(read_all(NULL, &err), 0);
    cr_assert_eq(err, OK);
}

Test(feed, csv_errors_name_file_and_line)
{
    struct mapping *mapping;
    enum err err;
    cr_assert_eq(mapping_parse("m", TEXT("version = $v"), (struct mapping_currencies){0}, &mapping, &info), OK);
    write_file("x.csv", "v\n1\n\"2\"\nx\n", 10);
    cr_assert_eq(read_all(mapping, &err), 2);
    cr_assert_eq(err, ERR_DATA);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s:4: column \"v\" (version): \"x\" is no whole number, which version needs",
             path);
    cr_assert_str_eq(info.text, wanted);
    mapping_free(mapping);
}
