/* SPDX-License-Identifier: Apache-2.0
 * print_rules.c - prints docs/RULES.md from rules.def, or with --codes one rule a line: code, severity, needs.
 */
#include "trade/rules.h"

#include <stdio.h>
#include <string.h>

static const char *const groups[] = {
    [GROUP_STR] = "STR: structure",
    [GROUP_COD] = "COD: code lists",
    [GROUP_ARI] = "ARI: arithmetic and consistency",
    [GROUP_CRE] = "CRE: credibility",
    [GROUP_TIM] = "TIM: dates and times",
    [GROUP_HSC] = "HSC: commodity codes and quantities",
    [GROUP_VER] = "VER: versions and duplicates",
    [GROUP_STA] = "STA: accepted, but not counted or counted in another flow",
    [GROUP_ECM] = "ECM: e-commerce, border and zone specials",
};

static void print_codes(void)
{
    for (int rule = 0; rule < RULE_COUNT; rule++)
        printf("%s %s %s\n", rule_rows[rule].code, severity_name(rule_rows[rule].severity), rule_rows[rule].needs);
}

/* Fields are written with a blank behind each comma, so that a table cell can break. */
static void print_fields(const char *fields)
{
    for (; *fields; fields++) {
        putchar(*fields);
        if (*fields == ',')
            putchar(' ');
    }
}

/* What will decide these codes is not there yet. */
static void print_reserved(void)
{
    puts("\n## Reserved\n\nThese codes never fire; they have no severity, and `rules.severity.CODE` refuses them.\n");
    puts("| code | fields | what would be wrong |\n|---|---|---|");
    for (int i = 0; i < RULES_RESERVED; i++)
        printf("| %s | %s | %s |\n", rules_reserved[i].code, rules_reserved[i].fields, rules_reserved[i].text);
}

static void print_head(void)
{
    puts("# Rules\n");
    puts("Generated from proc/trade/rules.def by `print_rules`; a test fails when it is stale.\n");
    puts("Severity is that of the strict profile; `rules.severity.CODE` (reject, warn or off) changes it. "
         "`rules.profile=lenient` makes "
         "STR-015, STR-016 and");
    puts("STR-017 warn, and STR-012 for submitted_at_ms, declarant_id and trader_id. *Needs* names the lists of "
         "`reference.dir`, or the setting, without "
         "which the rule is off");
    puts("(docs/REFERENCE.md); *message* needs no more than the declaration and its record, *ledger* what was accepted "
         "before. One reject "
         "rejects the");
    puts("whole declaration; a verdict is counted as such and is no finding. Codes are never used again.\n");
    puts("The rules of STA act on items of accepted declarations: *not_counted* leaves the item out, the rest of the "
         "declaration counts; "
         "*reclassify* counts it in");
    puts("flow RM (import) or RX (export). A declaration all of whose items are left out has the verdict not_counted. "
         "They are no warnings and "
         "can only be off.\n");
    puts("Rules that need *cross-id* compare a declaration with others. They are off as shipped; "
         "`rules.severity.CODE=warn` switches one on. Each sees");
    puts("one partition only, remembers 65,536 traces (2 MB for each rule and partition; the oldest make room), and "
         "begins with no memory when a partition is taken over or");
    puts("its process starts: then CRE-308 finds every origin new. They change no sum and mark no items "
         "(warned_items), and `verify --recount` leaves their numbers alone.\n");
    puts("A cancel needs declaration_id, version, function, accepted_at_ms and schema_version only. Whatever else it "
         "carries is checked, but "
         "nothing more");
    puts("is required of it. A rule about optional fields fires only if every field that it compares is present.");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--codes") == 0) {
        print_codes();
        return 0;
    }
    print_head();
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        const struct rule_row *row = &rule_rows[rule];
        if (rule == 0 || rule_rows[rule - 1].group != row->group) {
            printf("\n## %s\n\nSource: %s.\n\n", groups[row->group], row->source);
            puts("| code | severity | fields | what is wrong and what would be right | needs |\n|---|---|---|---|---|");
        }
        printf("| %s | %s | ", row->code, severity_name(row->severity));
        print_fields(row->fields);
        printf(" | %s | %s |\n", row->text, row->needs);
    }
    print_reserved();
    return 0;
}
