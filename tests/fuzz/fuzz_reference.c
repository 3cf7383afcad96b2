/* SPDX-License-Identifier: Apache-2.0
 * fuzz_reference.c - the lists of reference.dir: any text in any of them.
 *
 * Input:   a byte that names a list, then the file; the other lists are those of the tests
 * Checks:  a refusal names file and line; what is taken hashes the same twice; rules can be made with it, and judge a declaration
 */
#include "fuzz.h"

#include "flow/wire.h"
#include "sim/sample.h"
#include "trade/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 256 };

static char folder[] = "/tmp/fuzz_reference.XXXXXX";
static char written[PATH_BYTES];

static void remove_folder(void)
{
    unlink(written);
    rmdir(folder);
}

static void write_list(enum reference_list list, struct bytes bytes)
{
    static bool is_made;
    if (!is_made) {
        CHECK(mkdtemp(folder));
        atexit(remove_folder);
        is_made = true;
    }
    unlink(written);
    snprintf(written, sizeof written, "%s/%s", folder, reference_file(list));
    FILE *file = fopen(written, "wb");
    CHECK(file && (bytes.length == 0 || fwrite(bytes.data, 1, bytes.length, file) == bytes.length));
    CHECK(fclose(file) == 0);
}

static void check_rules(const struct reference *reference)
{
    static struct zone *zone;
    struct rules *rules;
    struct err_info info = {""};
    struct findings first, second;
    struct sample sample;
    struct rules_context context = {.timestamp_ms = 1752800000000, .key = KEY_RIGHT};
    if (!zone)
        CHECK(zone_new("Asia/Shanghai", &zone, &info) == OK);
    struct rules_options options = rules_default_options(zone);
    if (rules_new(&options, reference, &rules, &info) != OK) {
        CHECK(info.text[0]);
        return;
    }
    sample_init(&sample, "ID1");
    sample_add_item(&sample, "847130", 700);
    rules_judge(rules, &sample.declaration, &context, &first);
    rules_judge(rules, &sample.declaration, &context, &second);
    CHECK(first.count == second.count && first.reject == second.reject);
    for (uint32_t i = 0; i < first.count; i++)
        CHECK(first.list[i].rule == second.list[i].rule);
    rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = choices_of(data, size);
    enum reference_list list = (enum reference_list)choose(&choices, REFERENCE_LISTS);
    struct reference *reference;
    struct reference *again;
    struct err_info info = {""};
    write_list(list, choices_rest(&choices));
    enum err err = reference_load(folder, DRYPORT_SOURCE "/tests/data/reference", &reference, &info);
    if (err != OK) {
        CHECK_SAY(err == ERR_CONFIG && strstr(info.text, reference_file(list)), "%s", info.text);
        return 0;
    }
    CHECK(reference_has(reference, list));
    CHECK(reference_load(folder, DRYPORT_SOURCE "/tests/data/reference", &again, &info) == OK);
    CHECK(reference_hash(reference) == reference_hash(again));
    reference_free(again);
    check_rules(reference);
    reference_free(reference);
    return 0;
}
