/* SPDX-License-Identifier: Apache-2.0 */
#include "trade/check_digit.h"

#include <criterion/criterion.h>

Test(check_digit, texts_of_another_shape_are_not_judged)
{
    cr_expect_eq(check_digit_mrn(TEXT("")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_mrn(TEXT("25DE0024521234567")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_mrn(TEXT("25de00245212345677")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_mrn(TEXT("A5DE00245212345677")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_mrn(TEXT("25DE0024521234567X")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_mrn(TEXT("25DE00245212-45677")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_container(TEXT("CSQU305438")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_container(TEXT("CS1U3054383")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_container(TEXT("CSQUA054383")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_credit_code(TEXT("91110000600037341")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_credit_code(TEXT("9111000060003734IL")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_credit_code(TEXT("91110000600037341\xFF")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_bin(TEXT("97124000131")), CHECK_DIGIT_OTHER);
    cr_expect_eq(check_digit_bin(TEXT("97124000131A")), CHECK_DIGIT_OTHER);
}

static void only_one_last_character_is_right(const char *id, uint32_t length, const char *alphabet,
                                             enum check_digit (*check)(struct text id))
{
    char text[32];
    int right = 0;
    memcpy(text, id, length);
    for (const char *c = alphabet; *c; c++) {
        text[length - 1] = *c;
        enum check_digit verdict = check((struct text){text, length});
        cr_expect((verdict == CHECK_DIGIT_RIGHT) == (*c == id[length - 1]), "%.*s", (int)length, text);
        right += verdict == CHECK_DIGIT_RIGHT;
    }
    cr_expect_eq(right, 1);
}

Test(check_digit, one_digit_of_ten_is_right)
{
    only_one_last_character_is_right("25DE00245212345677", 18, "0123456789", check_digit_mrn);
    only_one_last_character_is_right("24FR00123456789AB9", 18, "0123456789", check_digit_mrn);
    only_one_last_character_is_right("25DE00245212345030", 18, "0123456789", check_digit_mrn);
    only_one_last_character_is_right("CSQU3054383", 11, "0123456789", check_digit_container);
    only_one_last_character_is_right("971240001315", 12, "0123456789", check_digit_bin);
}

Test(check_digit, one_character_of_31_is_right)
{
    only_one_last_character_is_right("91110000600037341L", 18, "0123456789ABCDEFGHJKLMNPQRTUWXY",
                                     check_digit_credit_code);
    only_one_last_character_is_right("91350100M000100Y43", 18, "0123456789ABCDEFGHJKLMNPQRTUWXY",
                                     check_digit_credit_code);
}

Test(check_digit, a_bin_whose_first_row_gives_10_takes_the_second_row)
{
    cr_expect_eq(check_digit_bin(TEXT("040340000804")), CHECK_DIGIT_RIGHT);
    cr_expect_eq(check_digit_bin(TEXT("040340000800")), CHECK_DIGIT_WRONG);
}

Test(check_digit, a_bin_whose_rows_both_give_10_is_never_right)
{
    char id[] = "040340000830";
    for (char c = '0'; c <= '9'; c++) {
        id[11] = c;
        cr_expect_eq(check_digit_bin(text_of(id)), CHECK_DIGIT_WRONG);
    }
}

Test(check_digit, two_neighbours_swapped_are_noticed)
{
    cr_expect_eq(check_digit_mrn(TEXT("25DE00245221345677")), CHECK_DIGIT_WRONG);
    cr_expect_eq(check_digit_container(TEXT("CSQU3504383")), CHECK_DIGIT_WRONG);
    cr_expect_eq(check_digit_credit_code(TEXT("91110000600073341L")), CHECK_DIGIT_WRONG);
    cr_expect_eq(check_digit_bin(TEXT("971420001315")), CHECK_DIGIT_WRONG);
}
