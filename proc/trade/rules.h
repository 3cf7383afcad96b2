/* SPDX-License-Identifier: Apache-2.0
 * rules.h - judges one declaration by the rules of rules.def that need no memory of others.
 *
 * In:      a decoded declaration, its record's timestamp and key, reference lists
 * Out:     findings in rule order: rule, severity, item; texts are made only when somebody reads them
 * Limits:  FINDINGS_MOST findings are kept, the rest counted
 * Memory:  none but struct findings of the caller
 * Errors:  ERR_CONFIG with the setting and the mend
 * Thread:  rules_new: startup; rules_judge: any (struct rules is immutable)
 * Source:  ../shared/data/validation_rules.csv as rows of rules.def; docs/RULES.md is generated from them
 */
#pragma once

#include "trade/declaration.h"
#include "trade/reference.h"
#include "trade/zone.h"

enum severity {
    SEVERITY_OFF,
    SEVERITY_WARN,
    SEVERITY_REJECT,
    SEVERITY_VERDICT,     /* VER-501, VER-503: counted as a verdict, neither finding */
    SEVERITY_NOT_COUNTED, /* STA: accepted, the item is no part of the statistics; neither a reject nor a warning */
    SEVERITY_RECLASSIFY,  /* STA: accepted, the item counts in flow RM or RX */
    SEVERITIES,
};

enum rule {
#define RULE(ident, code, group, severity, fields, text, needs, source) RULE_##ident,
#include "trade/rules.def"
    RULE_COUNT,
};

enum rule_group {
    GROUP_STR,
    GROUP_COD,
    GROUP_ARI,
    GROUP_CRE,
    GROUP_TIM,
    GROUP_VER,
    GROUP_HSC,
    GROUP_ECM,
    GROUP_STA,
    GROUP_LED,
};

struct rule_row {
    const char *code; /* "STR-001" */
    enum rule_group group;
    enum severity severity; /* as shipped, strict profile */
    const char *fields;     /* fields it looks at, comma separated */
    const char *text;       /* one sentence: what is wrong and what would be right */
    const char *needs;      /* "message", a file of reference.dir, or "ledger" */
    const char *source;
};

extern const struct rule_row rule_rows[RULE_COUNT];

/* A code that nothing can decide yet: it never fires. */
struct rule_reserved {
    const char *code;
    enum rule_group group;
    const char *fields;
    const char *text;
};

enum { RULES_RESERVED = 5 };

extern const struct rule_reserved rules_reserved[RULES_RESERVED];

/* The rule of that code ("STR-001"), or RULE_COUNT. */
enum rule rule_by_code(struct text code);

enum { FINDINGS_MOST = 64 };

struct finding {
    uint16_t rule;     /* enum rule */
    uint8_t severity;  /* any but SEVERITY_OFF and SEVERITY_VERDICT */
    int32_t item;      /* index from 0, -1 = header */
    const char *field; /* name of the field, NULL if it is the whole ("payload"); static memory */
};

struct findings {
    uint32_t count;    /* kept */
    uint32_t unkept;   /* found beyond FINDINGS_MOST */
    bool reject;       /* at least one reject, kept or not */
    bool warned_items; /* at least one warning of STR, COD, ARI, CRE, HSC or ECM: Statistic.warned_items */
    bool apart;        /* at least one item is left out or reclassified: rules_item_class says which */
    bool not_counted;  /* all items are left out */
    bool late; /* the month of the reference date had closed at the record's timestamp, TIM-411 in force or not */
    struct finding list[FINDINGS_MOST];
};

enum key_check {
    KEY_OFF,
    KEY_RIGHT,
    KEY_WRONG, /* STR-018 */
};

/* What a rule may know besides the declaration. */
struct rules_context {
    int64_t timestamp_ms; /* of the record: "ingestion time" in any rule */
    enum key_check key;
};

/* From which status on a declaration counts: STA-808. */
enum count_status {
    COUNT_BY_SCHEME, /* CN released, others accepted */
    COUNT_ACCEPTED,
    COUNT_RELEASED,
};

struct rules_options {
    bool lenient;                       /* rules.profile */
    enum severity severity[RULE_COUNT]; /* after rules.severity.CODE; begin with rules_default_severities */
    char reporter[3];
    char reporting_currency[4];
    bool special_trade;             /* trade.system */
    enum count_status count_status; /* count.status */
    bool nets_returns;              /* count.returns=false */
    bool leaves_banknotes;          /* count.banknotes=false */
    const struct zone *zone;        /* in which days begin and months close; must outlive the rules */
    int32_t provisional_days;       /* month.provisional.days */
    uint32_t month_first;           /* month.first, yyyymm; 0 = none */
    int64_t future_bound_ms;        /* time.future.bound.ms */
    bool late_out;                  /* late.policy=late_out */
    int32_t final_months;           /* month.final; decides something only with late_out */
    const char *gift_regimes;       /* rules.gift.regimes: codes separated by commas; NULL or empty: CRE-305 is off */
    const char *plant_documents;    /* rules.plant.documents: likewise, HSC-613 */
    int64_t unspecified_value;      /* rules.unspecified.value, in units of the reporting currency; 0: HSC-611 is off */
    int64_t new_origin_value;       /* rules.new.origin.value, likewise: CRE-308 */
};

struct rules;

void rules_default_severities(bool lenient, enum severity out[RULE_COUNT]);

/* The strict profile for reporter CN in CNY, all else as config.def has it: where tests and benches begin. */
struct rules_options rules_default_options(const struct zone *zone);

/* Gives *out; shares reference and zone, which must outlive it. */
enum err rules_new(const struct rules_options *options, const struct reference *reference, struct rules **out,
                   struct err_info *info) MUST_USE;
void rules_free(struct rules *rules);

/* NULL if the rule is in force, else why it is off ("needs offices.csv, which is not in reference.dir"). */
const char *rules_off_reason(const struct rules *rules, enum rule rule);

/* Severity in force. */
enum severity rules_severity(const struct rules *rules, enum rule rule);

/* Hash of severities and options: part of the plan. */
uint64_t rules_hash(const struct rules *rules);

/* For the rules that compare declarations: the value from which on CRE-308 asks, in minor units, and whether amounts are in yuan. */
int64_t rules_new_origin_minor(const struct rules *rules);
bool rules_counts_yuan(const struct rules *rules);

/* Judges a decoded declaration; *out is written whole. */
void rules_judge(const struct rules *rules, const struct declaration *declaration, const struct rules_context *context,
                 struct findings *out);

/* Adds a finding of a rule that the caller itself decides (STR-001, STR-002, VER-5xx), if it is in force. */
void rules_add(const struct rules *rules, struct findings *findings, enum rule rule, int32_t item, const char *field);

/* What the statistics make of an item of an accepted declaration. */
enum item_class {
    ITEM_COUNTED,
    ITEM_RETURNS, /* counts in RM on import, in RX on export */
    ITEM_OUTSIDE,
};

/* By the rules of STA; of use if findings.apart is set, else every item is ITEM_COUNTED. */
enum item_class rules_item_class(const struct rules *rules, const struct declaration *declaration, uint32_t item);

/* "off", "warn", "reject", "verdict", "not_counted", "reclassify". */
const char *severity_name(enum severity severity);

/* late.policy=late_out: a month that is final is not changed any more. */
bool rules_late_out(const struct rules *rules);

/* Whether the month that holds `day` was final at that time. */
bool rules_is_final(const struct rules *rules, int32_t day, int64_t timestamp_ms);

/* Adds a warning that says something to who reads the declaration, whether its rule is in force or not. */
void findings_tell(struct findings *findings, enum rule rule, const char *field);

void findings_clear(struct findings *findings);

/* Field path of a finding: "items[2].hs_code", "office_code", or "-". Returns out. */
const char *finding_path(const struct finding *finding, char *out, size_t bytes);
