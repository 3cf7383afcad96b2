/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/key_text.h"

char *key_text_put(char *at, struct text text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte < 0x21 || byte > 0x7E || byte == '%' || byte == '|' || byte == '=') {
            *at++ = '%';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        } else {
            *at++ = (char)byte;
        }
    }
    return at;
}

void key_text_add(struct buffer *out, struct text text)
{
    char *at = (char *)buffer_reserve(out, (size_t)text.length * KEY_TEXT_GROWTH);
    out->length += (size_t)(key_text_put(at, text) - at);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that begins at `i`. Returns how many bytes stand for it: 3, or 1, which a % of its own has, too. */
static uint32_t read_byte(struct text text, uint32_t i, char *out)
{
    *out = text.data[i];
    if (text.data[i] != '%' || text.length - i < 3)
        return 1;
    int high = hex_digit(text.data[i + 1]);
    int low = hex_digit(text.data[i + 2]);
    if (high < 0 || low < 0)
        return 1;
    *out = (char)(high * 16 + low);
    return 3;
}

bool key_text_read(struct text text, char *room, uint32_t bytes, struct text *out_text)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < text.length; length++) {
        if (length == bytes)
            return false;
        uint32_t taken = read_byte(text, i, &room[length]);
        if (taken == 1 && text.data[i] == '%')
            return false;
        i += taken;
    }
    *out_text = (struct text){room, length};
    return true;
}

void key_text_add_read(struct buffer *out, struct text text)
{
    char byte;
    for (uint32_t i = 0; i < text.length; buffer_add_u8(out, (uint8_t)byte))
        i += read_byte(text, i, &byte);
}
