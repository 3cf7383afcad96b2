/* SPDX-License-Identifier: Apache-2.0
 * check_digit.h - the check digits of identifiers: EU MRN, containers, Chinese credit codes, Kazakh BIN.
 *
 * Thread:  any
 * Source:  ISO 6346 (values of letters, weights, mod 11); GB 32100-2015 (mod 31); Kazakhstan: rules of forming the BIN
 * (two weight rows)
 */
#pragma once

#include "base/span.h"

enum check_digit {
    CHECK_DIGIT_OTHER, /* it has not the length or the characters of that identifier */
    CHECK_DIGIT_RIGHT,
    CHECK_DIGIT_WRONG,
};

/* EU movement reference number: 2 digits, 2 letters, 13 letters or digits, check digit. */
enum check_digit check_digit_mrn(struct text id);

/* Container number: 4 letters, 6 digits, check digit. */
enum check_digit check_digit_container(struct text id);

/* Chinese unified social credit code: 18 of 0-9 and A-Z without I, O, S, V, Z. */
enum check_digit check_digit_credit_code(struct text id);

/* Kazakh business identification number: 12 digits. */
enum check_digit check_digit_bin(struct text id);
