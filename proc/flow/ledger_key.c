/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ledger_key.h"

#define EACH(byte) (0x0101010101010101ULL * (byte))

static const uint64_t tops = EACH(0x80ULL);

/* The top bit of each byte that is at least `least`; no byte has its top bit set. */
static inline uint64_t from(uint64_t word, unsigned least)
{
    return (word + EACH(0x80ULL - least)) & tops;
}

/* Eight characters as symbols: digits 1 to 10, / 11, - 12, letters 13 to 38. False: one of them has none. */
static inline bool symbols_of(uint64_t word, uint64_t *out)
{
    uint64_t digits = word - EACH(0x30ULL);
    if ((((word + EACH(0x46ULL)) | digits) & tops) == 0) { /* digits alone, as most ids are */
        *out = digits + EACH(1ULL);
        return true;
    }
    if (word & tops)
        return false;
    uint64_t letter = from(word, 'A') & ~from(word, 'Z' + 1);
    uint64_t digit = from(word, '0') & ~from(word, '9' + 1);
    uint64_t slash = from(word, '/') & ~from(word, '/' + 1);
    uint64_t dash = from(word, '-') & ~from(word, '-' + 1);
    *out = word - (letter >> 7) * ('A' - 13) - (digit >> 7) * ('0' - 1) - (slash >> 7) * ('/' - 11) -
           (dash >> 7) * ('-' - 12);
    return (letter | digit | slash | dash) == tops;
}

/* Up to eight characters in six bits each, the first the highest: pairs, pairs of pairs, halves. */
static inline bool pack(uint64_t word, uint32_t count, uint64_t *out)
{
    uint64_t symbols = 0; /* an id with bytes beyond ASCII has none */
    if (count < 8)
        word |= EACH((uint64_t)'0') << 8 * count;
    bool good = symbols_of(word, &symbols);
    symbols = __builtin_bswap64(symbols);
    symbols = (symbols & 0x003F003F003F003FULL) | (symbols & 0x3F003F003F003F00ULL) >> 2;
    symbols = (symbols & 0x00000FFF00000FFFULL) | (symbols & 0x0FFF00000FFF0000ULL) >> 4;
    symbols = (symbols & 0xFFFFFFULL) | symbols >> 32 << 24;
    *out = symbols >> 6 * (8 - count);
    return good;
}

/* `count` characters of an id from `at` on, at most eight, the first in the lowest byte: no byte outside of the id is read. */
static inline uint64_t load(struct text id, uint32_t at, uint32_t count)
{
    uint64_t word = 0;
    if (id.length < 8) {
        for (uint32_t i = 0; i < count; i++)
            word |= (uint64_t)(uint8_t)id.data[at + i] << 8 * i;
        return word;
    }
    if (at + 8 <= id.length) {
        memcpy(&word, id.data + at, sizeof word); /* little-endian, as every format here */
        return word;
    }
    memcpy(&word, id.data + id.length - 8, sizeof word);
    return word >> 8 * (8 - count);
}

/* Ten characters in word 0, the others in word 1. Of 21 characters the eleventh's upper bits move over to word 0, whose lower 60 bits are
 * taken. */
static bool pack_id(struct text id, struct ledger_key *out)
{
    uint32_t length = id.length;
    uint32_t first = length < 8 ? length : 8;
    uint32_t second = length - first < 8 ? length - first : 8;
    uint32_t third = length - first - second;
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
    bool good = true;
    if (first)
        good = pack(load(id, 0, first), first, &a);
    if (second)
        good &= pack(load(id, 8, second), second, &b);
    if (third)
        good &= pack(load(id, 16, third), third, &c);
    if (length <= 10) {
        *out = (struct ledger_key){{a << 6 * second | b, 0}};
        return good;
    }
    uint32_t behind = 6 * (second - 2);
    uint64_t rest = b & ((1ULL << behind) - 1);
    out->word[0] = a << 12 | b >> behind;
    out->word[1] = rest << 6 * third | c;
    if (length == LEDGER_ID_EXACT_MOST)
        out->word[0] |= rest >> 34 << 60;
    return good;
}

struct ledger_key ledger_key_of(struct text id, const struct hash_key *sip_key)
{
    struct ledger_key key;
    if (id.length <= LEDGER_ID_EXACT_MOST && pack_id(id, &key))
        return key;
    struct hash128 hash = hash_sip128(id.data, id.length, sip_key);
    return (struct ledger_key){{hash.word[0] | 1ULL << 63, hash.word[1]}};
}

/* ---- four bits a character ---- */

#define LOW_NIBBLES 0x00F00F00F00F00FULL  /* of each pair of characters: bits 0 to 3 of twelve */
#define HIGH_NIBBLES 0x3C03C03C03C03C0ULL /* bits 6 to 9 */

static inline uint64_t nibbles_of(uint64_t word)
{
    uint64_t pairs = (word & LOW_NIBBLES) | (word & HIGH_NIBBLES) >> 2;
    return (pairs & 0xFF) | (pairs >> 4 & 0xFF00) | (pairs >> 8 & 0xFF0000) | (pairs >> 12 & 0xFF000000) |
           (pairs >> 16 & 0xFF00000000);
}

static inline uint64_t symbols_of_nibbles(uint64_t nibbles)
{
    uint64_t pairs = (nibbles & 0xFF) | (nibbles & 0xFF00) << 4 | (nibbles & 0xFF0000) << 8 |
                     (nibbles & 0xFF000000) << 12 | (nibbles & 0xFF00000000) << 16;
    return (pairs & LOW_NIBBLES) | (pairs << 2 & HIGH_NIBBLES);
}

size_t ledger_key_pack(const struct ledger_key *key, uint8_t out[static LEDGER_KEY_LONG_BYTES])
{
    const uint64_t eight = (1ULL << 48) - 1;
    bool is_short =
        !(key->word[0] & ~(LOW_NIBBLES | HIGH_NIBBLES)) && !(key->word[1] & ~((LOW_NIBBLES | HIGH_NIBBLES) & eight));
    if (!is_short) {
        memcpy(out, key, sizeof *key);
        return LEDGER_KEY_LONG_BYTES;
    }
    uint64_t first = nibbles_of(key->word[0]);
    uint32_t second = (uint32_t)nibbles_of(key->word[1]);
    memcpy(out, &first, 5); /* little-endian, as every format here */
    memcpy(out + 5, &second, 4);
    return LEDGER_KEY_SHORT_BYTES;
}

struct ledger_key ledger_key_unpack(const uint8_t *packed, size_t bytes)
{
    struct ledger_key key;
    if (bytes == LEDGER_KEY_LONG_BYTES) {
        memcpy(&key, packed, sizeof key);
        return key;
    }
    uint64_t first = 0;
    uint32_t second;
    memcpy(&first, packed, 5);
    memcpy(&second, packed + 5, 4);
    return (struct ledger_key){{symbols_of_nibbles(first), symbols_of_nibbles(second)}};
}
