/* SPDX-License-Identifier: Apache-2.0
 * list_fixture.h - for tests: the text of a list -> struct reference, its hash, or the error that names line, column and mend.
 *
 * Memory:  the caller owns the reference
 */
#pragma once

#include "trade/lists.h"
#include "trade/reference_read.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Writes `text` as the file of a list into a folder of its own, and loads that folder. */
static inline enum err load_text(enum reference_list list, const char *text, struct reference **out,
                                 struct err_info *info)
{
    char folder[] = "/tmp/reference_read.XXXXXX";
    char path[128];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, reference_read_file(list));
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
    enum err err = reference_load(folder, NULL, out, info);
    unlink(path);
    rmdir(folder);
    return err;
}

/* The load must fail and name line, column and what is wrong. */
static inline void refused(enum reference_list list, const char *text, const char *line, const char *column,
                           const char *what)
{
    struct err_info info = {""};
    struct reference *reference = NULL;

    cr_expect_eq(load_text(list, text, &reference, &info), ERR_CONFIG, "%s", text);

    cr_expect(strstr(info.text, reference_read_file(list)), "%s", info.text);
    cr_expect(strstr(info.text, line), "%s", info.text);
    cr_expect(strstr(info.text, column), "%s", info.text);
    cr_expect(strstr(info.text, what), "%s", info.text);
}

static inline uint64_t hash_of(enum reference_list list, const char *text)
{
    struct err_info info = {""};
    struct reference *reference = NULL;
    cr_assert_eq(load_text(list, text, &reference, &info), OK, "%s", info.text);
    uint64_t hash = reference_hash(reference);
    reference_free(reference);
    return hash;
}
