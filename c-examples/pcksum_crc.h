/*
 * The checksum of the POSIX `cksum`, for pcksum.c: CRC-32, most significant bit
 * first, by table, or by carry-less multiplication where the processor has it.
 *
 *     prepare_crc();
 *     crc = crc_update(crc, data, size);  from 0, any number of times
 *     sum = crc_finish(crc, total);
 */
#ifndef PCKSUM_CRC_H
#define PCKSUM_CRC_H

#include <stddef.h>
#include <stdint.h>

#define POLYNOMIAL UINT32_C(0x04C11DB7)

/* crc_table[k][b] is the CRC of the byte b followed by k zero bytes. */
static uint32_t crc_table[16][256];

/* The remainder of value * x^count. */
static uint32_t times_power_of_x(uint32_t value, unsigned count) {
    while (count-- > 0)
        value = (value << 1) ^ (value >> 31 ? POLYNOMIAL : 0);
    return value;
}

static uint32_t look_up(int first, uint32_t word) {
    return crc_table[first + 3][word >> 24] ^ crc_table[first + 2][word >> 16 & 255] ^
           crc_table[first + 1][word >> 8 & 255] ^ crc_table[first][word & 255];
}

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t crc_by_table(uint32_t crc, const unsigned char *p, size_t size) {
    for (; size >= 16; p += 16, size -= 16)
        crc = look_up(12, big_endian(p) ^ crc) ^ look_up(8, big_endian(p + 4)) ^
              look_up(4, big_endian(p + 8)) ^ look_up(0, big_endian(p + 12));
    for (; size > 0; p++, size--)
        crc = crc << 8 ^ crc_table[0][crc >> 24 ^ *p];
    return crc;
}

static uint32_t (*crc_update)(uint32_t crc, const unsigned char *p, size_t size) = crc_by_table;

/*
 * With a carry-less multiplication 128 bits can be moved d bits ahead in the
 * message at once: as hi * x^(64+d) + lo * x^d, both powers reduced modulo the
 * polynomial beforehand. That is added to the data found d bits further on.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WITH_CLMUL __attribute__((target("pclmul,ssse3")))

static uint32_t x128, x192, x512, x576; /* x^128, ... modulo the polynomial */

WITH_CLMUL static __m128i reverse_bytes(__m128i data) {
    return _mm_shuffle_epi8(data, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

WITH_CLMUL static __m128i load(const unsigned char *p) {
    return reverse_bytes(_mm_loadu_si128((const void *)p));
}

WITH_CLMUL static __m128i fold(__m128i part, __m128i powers, __m128i data) {
    __m128i hi = _mm_clmulepi64_si128(part, powers, 0x11);
    __m128i lo = _mm_clmulepi64_si128(part, powers, 0x00);
    return _mm_xor_si128(_mm_xor_si128(hi, lo), data);
}

WITH_CLMUL static uint32_t crc_by_clmul(uint32_t crc, const unsigned char *p, size_t size) {
    if (size < 128)
        return crc_by_table(crc, p, size);

    const __m128i by_512 = _mm_set_epi64x(x576, x512), by_128 = _mm_set_epi64x(x192, x128);
    __m128i a = _mm_xor_si128(load(p), _mm_set_epi32((int)crc, 0, 0, 0));
    __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
    for (p += 64, size -= 64; size >= 64; p += 64, size -= 64) {
        a = fold(a, by_512, load(p));
        b = fold(b, by_512, load(p + 16));
        c = fold(c, by_512, load(p + 32));
        d = fold(d, by_512, load(p + 48));
    }
    d = fold(fold(fold(a, by_128, b), by_128, c), by_128, d);

    unsigned char rest[16];
    _mm_storeu_si128((void *)rest, reverse_bytes(d));
    return crc_by_table(crc_by_table(0, rest, sizeof rest), p, size);
}

static void prepare_clmul(void) {
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3"))
        crc_update = crc_by_clmul;
    x128 = times_power_of_x(1, 128);
    x192 = times_power_of_x(1, 192);
    x512 = times_power_of_x(1, 512);
    x576 = times_power_of_x(1, 576);
}
#else
static void prepare_clmul(void) {}
#endif

static void prepare_crc(void) {
    for (unsigned zeros = 0; zeros < 16; zeros++)
        for (uint32_t byte = 0; byte < 256; byte++)
            crc_table[zeros][byte] = times_power_of_x(byte << 24, 8 * (zeros + 1));
    prepare_clmul();
}

/* After the data the size enters the CRC, least significant byte first. */
static uint32_t crc_finish(uint32_t crc, uint64_t size) {
    for (; size > 0; size >>= 8) {
        unsigned char byte = size & 255;
        crc = crc_by_table(crc, &byte, 1);
    }
    return ~crc;
}

#endif
