/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/profile.h"

#define SHARE(literal, n)                                                                                              \
    {                                                                                                                  \
        TEXT_INIT(literal), n                                                                                          \
    }
#define TEXT_INIT(literal)                                                                                             \
    {                                                                                                                  \
        (literal), (uint32_t)(sizeof(literal) - 1)                                                                     \
    }

/* Office codes are our own: no published list is reliable. */
const struct profile profile_rows[GENERATOR_PROFILES] = {
    [GENERATOR_CN] = {"cn",
                      SCHEME_CN,
                      TEXT_INIT("CN"),
                      TEXT_INIT("CNY"),
                      8,
                      100,
                      10,
                      true,
                      true,
                      {{TEXT_INIT("9901"), 18, 3, false}, /* Horgos road */
                       {TEXT_INIT("9902"), 16, 2, false}, /* Horgos rail */
                       {TEXT_INIT("9903"), 8, 3, true},   /* Horgos co-operation center */
                       {TEXT_INIT("9904"), 10, 2, false}, /* Alashankou */
                       {TEXT_INIT("9905"), 4, 3, false},  /* Baketu */
                       {TEXT_INIT("9906"), 2, 3, false},  /* Jeminay */
                       {TEXT_INIT("9907"), 2, 3, false},  /* Dulata */
                       {TEXT_INIT("9908"), 4, 4, false}}, /* Urumqi airport */
                      {SHARE("KZ", 28), SHARE("RU", 9), SHARE("UZ", 8), SHARE("KG", 7), SHARE("TJ", 3), SHARE("TM", 2),
                       SHARE("DE", 2), SHARE("PL", 1), SHARE("BY", 1), SHARE("TR", 1), SHARE("IR", 1), SHARE("GE", 1)},
                      {{SHARE("0110", 36), SHARE("4019", 8), SHARE("9610", 9), SHARE("1210", 5), SHARE("0615", 4),
                        SHARE("0214", 2)},
                       {SHARE("0110", 30), SHARE("9710", 10), SHARE("9610", 8), SHARE("9810", 5), SHARE("1039", 6),
                        SHARE("4019", 2), SHARE("0615", 2), SHARE("1210", 1)}},
                      {{TEXT_INIT("2600"), TEXT_INIT("TRANSIT"), TEXT_INIT("")},
                       {TEXT_INIT("2600"), TEXT_INIT("TRANSIT"), TEXT_INIT("")}}},
    [GENERATOR_KZ] = {"kz",
                      SCHEME_EAEU,
                      TEXT_INIT("KZ"),
                      TEXT_INIT("KZT"),
                      5,
                      7300,
                      10,
                      false,
                      false,
                      {{TEXT_INIT("99011"), 20, 3, false},
                       {TEXT_INIT("99021"), 18, 2, false},
                       {TEXT_INIT("99031"), 4, 3, true},
                       {TEXT_INIT("99041"), 10, 2, false},
                       {TEXT_INIT("99051"), 4, 3, false},
                       {TEXT_INIT("99061"), 2, 3, false},
                       {TEXT_INIT("99071"), 2, 3, false},
                       {TEXT_INIT("99081"), 4, 4, false}},
                      {SHARE("CN", 40), SHARE("UZ", 7), SHARE("TR", 4), SHARE("DE", 4), SHARE("IT", 2), SHARE("FR", 1),
                       SHARE("TJ", 1), SHARE("TM", 1), SHARE("PL", 1), SHARE("GE", 1), SHARE("IR", 1), SHARE("KR", 1)},
                      {{SHARE("4000", 56), SHARE("5100", 3), SHARE("7000", 3), SHARE("7800", 2)},
                       {SHARE("1000", 60), SHARE("2100", 2), SHARE("3100", 2)}},
                      {{TEXT_INIT("5300"), TEXT_INIT("8000"), TEXT_INIT("6000")},
                       {TEXT_INIT("2300"), TEXT_INIT("8000"), TEXT_INIT("3100")}}},
    [GENERATOR_KR] = {"kr",
                      SCHEME_KR,
                      TEXT_INIT("KR"),
                      TEXT_INIT("KRW"),
                      9,
                      195,
                      10,
                      false,
                      false,
                      {{TEXT_INIT("040"), 24, 4, false},
                       {TEXT_INIT("020"), 18, 1, false},
                       {TEXT_INIT("030"), 10, 1, false},
                       {TEXT_INIT("016"), 4, 1, false},
                       {TEXT_INIT("013"), 2, 1, false},
                       {TEXT_INIT("010"), 2, 4, false},
                       {TEXT_INIT("033"), 2, 1, false},
                       {TEXT_INIT("039"), 2, 1, false}},
                      {SHARE("CN", 24), SHARE("US", 12), SHARE("JP", 8), SHARE("VN", 6), SHARE("DE", 4), SHARE("IT", 3),
                       SHARE("FR", 2), SHARE("TH", 1), SHARE("KZ", 1), SHARE("UZ", 1), SHARE("GB", 1), SHARE("IN", 1)},
                      {{SHARE("11", 64)}, {SHARE("11", 64)}},
                      {{TEXT_INIT("")}, {TEXT_INIT("")}}},
};
