//go:build duckdb_arrow && cgo

#include "bridge.h"

#include <string.h>

// Each kernel exists twice: in plain C, and with AVX-512 for processors that have it, which is checked at each call.

int h5arrow_plain_only;

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))
static int wide(void) {
	return !h5arrow_plain_only && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
}
#define HAVE_WIDE 1
#endif

// OPERATORS expands X for the comparisons: name, and the expression in C for a value v and the constant c.
#define OPERATORS(X, T)                                                                                                                    \
	X(H5ARROW_EQUAL, T, v == c)                                                                                                            \
	X(H5ARROW_NOT_EQUAL, T, v != c)                                                                                                        \
	X(H5ARROW_LESS, T, v < c)                                                                                                              \
	X(H5ARROW_NOT_LESS, T, !(v < c))                                                                                                       \
	X(H5ARROW_GREATER, T, !(v <= c))                                                                                                       \
	X(H5ARROW_NOT_GREATER, T, v <= c)

#define PLAIN_LOOP(OP, T, EXPRESSION)                                                                                                      \
	case OP:                                                                                                                               \
		for (int64_t w = 0; w < words; w++) {                                                                                              \
			uint64_t bits = 0;                                                                                                             \
			for (int j = 0; j < 64; j++) {                                                                                                 \
				T v = values[64 * w + j];                                                                                                  \
				bits |= (uint64_t)(EXPRESSION) << j;                                                                                       \
			}                                                                                                                              \
			mask[w] &= bits;                                                                                                               \
		}                                                                                                                                  \
		return;

#define PLAIN_COMPARE(NAME, T)                                                                                                             \
	static void NAME(int op, const T *values, T c, uint64_t *mask, int64_t words) {                                                        \
		switch (op) { OPERATORS(PLAIN_LOOP, T) }                                                                                           \
	}

PLAIN_COMPARE(plain_i8, int8_t)
PLAIN_COMPARE(plain_i16, int16_t)
PLAIN_COMPARE(plain_i32, int32_t)
PLAIN_COMPARE(plain_i64, int64_t)
PLAIN_COMPARE(plain_u8, uint8_t)
PLAIN_COMPARE(plain_u16, uint16_t)
PLAIN_COMPARE(plain_u32, uint32_t)
PLAIN_COMPARE(plain_u64, uint64_t)
PLAIN_COMPARE(plain_f32, float)
PLAIN_COMPARE(plain_f64, double)

#define PLAIN_PICK(T)                                                                                                                      \
	{                                                                                                                                      \
		T *out = to;                                                                                                                       \
		const T *in = values;                                                                                                              \
		for (int64_t w = 0; w < words; w++, in += 64) {                                                                                    \
			if (mask[w] == ~(uint64_t)0) {                                                                                                 \
				memcpy(out, in, 64 * sizeof(T));                                                                                           \
				out += 64;                                                                                                                 \
				continue;                                                                                                                  \
			}                                                                                                                              \
			for (uint64_t m = mask[w]; m; m &= m - 1)                                                                                      \
				*out++ = in[__builtin_ctzll(m)];                                                                                           \
		}                                                                                                                                  \
		return;                                                                                                                            \
	}

static void plain_pick(int width, void *to, int64_t n, const void *values, const uint64_t *mask, int64_t words) {
	(void)n;
	switch (width) {
	case 1:
		PLAIN_PICK(uint8_t)
	case 2:
		PLAIN_PICK(uint16_t)
	case 4:
		PLAIN_PICK(uint32_t)
	default:
		PLAIN_PICK(uint64_t)
	}
}

static void plain_pick_doubles(double *to, int64_t n, const float *values, const uint64_t *mask, int64_t words) {
	(void)n;
	for (int64_t w = 0; w < words; w++, values += 64)
		for (uint64_t m = mask[w]; m; m &= m - 1)
			*to++ = values[__builtin_ctzll(m)];
}

static inline uint64_t plain_extract(uint64_t bits, uint64_t mask) {
	uint64_t out = 0;
	for (int k = 0; mask; mask &= mask - 1, k++)
		out |= (bits >> __builtin_ctzll(mask) & 1) << k;
	return out;
}

// PICK_BITS is the loop over words with a function that extracts bits.
#define PICK_BITS(EXTRACT)                                                                                                                 \
	to += at / 64;                                                                                                                         \
	int used = (int)(at % 64);                                                                                                             \
	uint64_t word = used ? *to & (((uint64_t)1 << used) - 1) : 0;                                                                          \
	for (int64_t w = 0; w < words; w++) {                                                                                                  \
		uint64_t part = EXTRACT(bits[w], mask[w]);                                                                                         \
		int n = __builtin_popcountll(mask[w]);                                                                                             \
		word |= part << used;                                                                                                              \
		if (used + n >= 64) {                                                                                                              \
			*to++ = word;                                                                                                                  \
			word = used ? part >> (64 - used) : 0;                                                                                         \
			used -= 64;                                                                                                                    \
		}                                                                                                                                  \
		used += n;                                                                                                                         \
	}                                                                                                                                      \
	if (used)                                                                                                                              \
		*to = word | ~(uint64_t)0 << used;

static void plain_pick_bits(uint64_t *to, int64_t at, const uint64_t *bits, const uint64_t *mask, int64_t words) {
	PICK_BITS(plain_extract)
}

#ifdef HAVE_WIDE

#define WIDE_LOOP(OP, LANES, COMPARE, HOW)                                                                                                 \
	case OP:                                                                                                                               \
		for (int64_t w = 0; w < words; w++) {                                                                                              \
			uint64_t bits = 0;                                                                                                             \
			for (int j = 0; j < 64; j += LANES)                                                                                            \
				bits |= (uint64_t)COMPARE(LOAD(values + 64 * w + j), c, HOW) << j;                                                         \
			mask[w] &= bits;                                                                                                               \
		}                                                                                                                                  \
		return;

#define WIDE_INTS(NAME, T, LANES, SET, COMPARE)                                                                                            \
	WIDE static void NAME(int op, const T *values, T constant, uint64_t *mask, int64_t words) {                                            \
		const __m512i c = SET(constant);                                                                                                   \
		switch (op) {                                                                                                                      \
			WIDE_LOOP(H5ARROW_EQUAL, LANES, COMPARE, _MM_CMPINT_EQ)                                                                        \
			WIDE_LOOP(H5ARROW_NOT_EQUAL, LANES, COMPARE, _MM_CMPINT_NE)                                                                    \
			WIDE_LOOP(H5ARROW_LESS, LANES, COMPARE, _MM_CMPINT_LT)                                                                         \
			WIDE_LOOP(H5ARROW_NOT_LESS, LANES, COMPARE, _MM_CMPINT_NLT)                                                                    \
			WIDE_LOOP(H5ARROW_GREATER, LANES, COMPARE, _MM_CMPINT_NLE)                                                                     \
			WIDE_LOOP(H5ARROW_NOT_GREATER, LANES, COMPARE, _MM_CMPINT_LE)                                                                  \
		}                                                                                                                                  \
	}

#define LOAD(P) _mm512_loadu_si512((const void *)(P))
WIDE_INTS(wide_i8, int8_t, 64, _mm512_set1_epi8, _mm512_cmp_epi8_mask)
WIDE_INTS(wide_i16, int16_t, 32, _mm512_set1_epi16, _mm512_cmp_epi16_mask)
WIDE_INTS(wide_i32, int32_t, 16, _mm512_set1_epi32, _mm512_cmp_epi32_mask)
WIDE_INTS(wide_i64, int64_t, 8, _mm512_set1_epi64, _mm512_cmp_epi64_mask)
WIDE_INTS(wide_u8, uint8_t, 64, _mm512_set1_epi8, _mm512_cmp_epu8_mask)
WIDE_INTS(wide_u16, uint16_t, 32, _mm512_set1_epi16, _mm512_cmp_epu16_mask)
WIDE_INTS(wide_u32, uint32_t, 16, _mm512_set1_epi32, _mm512_cmp_epu32_mask)
WIDE_INTS(wide_u64, uint64_t, 8, _mm512_set1_epi64, _mm512_cmp_epu64_mask)
#undef LOAD

#define WIDE_FLOATS(NAME, T, V, LANES, SET, COMPARE)                                                                                       \
	WIDE static void NAME(int op, const T *values, T constant, uint64_t *mask, int64_t words) {                                            \
		const V c = SET(constant);                                                                                                         \
		switch (op) {                                                                                                                      \
			WIDE_LOOP(H5ARROW_EQUAL, LANES, COMPARE, _CMP_EQ_OQ)                                                                           \
			WIDE_LOOP(H5ARROW_NOT_EQUAL, LANES, COMPARE, _CMP_NEQ_UQ)                                                                      \
			WIDE_LOOP(H5ARROW_LESS, LANES, COMPARE, _CMP_LT_OQ)                                                                            \
			WIDE_LOOP(H5ARROW_NOT_LESS, LANES, COMPARE, _CMP_NLT_UQ)                                                                       \
			WIDE_LOOP(H5ARROW_GREATER, LANES, COMPARE, _CMP_NLE_UQ)                                                                        \
			WIDE_LOOP(H5ARROW_NOT_GREATER, LANES, COMPARE, _CMP_LE_OQ)                                                                     \
		}                                                                                                                                  \
	}

#define LOAD(P) _mm512_loadu_ps(P)
WIDE_FLOATS(wide_f32, float, __m512, 16, _mm512_set1_ps, _mm512_cmp_ps_mask)
#undef LOAD
#define LOAD(P) _mm512_loadu_pd(P)
WIDE_FLOATS(wide_f64, double, __m512d, 8, _mm512_set1_pd, _mm512_cmp_pd_mask)
#undef LOAD

// A whole register is stored as long as it ends within the n values; the next store overwrites what is too much.
#define WIDE_PICK(T, LANES, MASK, COMPRESS, STORE)                                                                                         \
	{                                                                                                                                      \
		T *out = to, *end = out + n;                                                                                                       \
		const T *in = values;                                                                                                              \
		for (int64_t w = 0; w < words; w++) {                                                                                              \
			uint64_t m = mask[w];                                                                                                          \
			for (int j = 0; j < 64; j += LANES, in += LANES) {                                                                             \
				MASK part = (MASK)(m >> j);                                                                                                \
				__m512i v = _mm512_loadu_si512((const void *)in);                                                                          \
				if (end - out >= LANES)                                                                                                    \
					_mm512_storeu_si512((void *)out, COMPRESS(part, v));                                                                   \
				else                                                                                                                       \
					STORE((void *)out, part, v);                                                                                           \
				out += __builtin_popcountll(part);                                                                                         \
			}                                                                                                                              \
		}                                                                                                                                  \
		return;                                                                                                                            \
	}

WIDE static void wide_pick(int width, void *to, int64_t n, const void *values, const uint64_t *mask, int64_t words) {
	switch (width) {
	case 1:
		WIDE_PICK(uint8_t, 64, __mmask64, _mm512_maskz_compress_epi8, _mm512_mask_compressstoreu_epi8)
	case 2:
		WIDE_PICK(uint16_t, 32, __mmask32, _mm512_maskz_compress_epi16, _mm512_mask_compressstoreu_epi16)
	case 4:
		WIDE_PICK(uint32_t, 16, __mmask16, _mm512_maskz_compress_epi32, _mm512_mask_compressstoreu_epi32)
	default:
		WIDE_PICK(uint64_t, 8, __mmask8, _mm512_maskz_compress_epi64, _mm512_mask_compressstoreu_epi64)
	}
}

WIDE static void wide_pick_doubles(double *to, int64_t n, const float *values, const uint64_t *mask, int64_t words) {
	double *end = to + n;
	for (int64_t w = 0; w < words; w++)
		for (int j = 0; j < 64; j += 8, values += 8) {
			__mmask8 part = (__mmask8)(mask[w] >> j);
			__m512d v = _mm512_cvtps_pd(_mm256_loadu_ps(values));
			if (end - to >= 8)
				_mm512_storeu_pd(to, _mm512_maskz_compress_pd(part, v));
			else
				_mm512_mask_compressstoreu_pd(to, part, v);
			to += __builtin_popcountll(part);
		}
}

WIDE static void wide_pick_bits(uint64_t *to, int64_t at, const uint64_t *bits, const uint64_t *mask, int64_t words) {
	PICK_BITS(_pext_u64)
}

#define BEST(NAME) (wide() ? wide_##NAME : plain_##NAME)
#else
#define BEST(NAME) plain_##NAME
#endif

#define DISPATCH(NAME, T)                                                                                                                  \
	{                                                                                                                                      \
		T c;                                                                                                                               \
		memcpy(&c, constant, sizeof c);                                                                                                    \
		BEST(NAME)(op, values, c, mask, words);                                                                                            \
		return;                                                                                                                            \
	}

void h5arrow_compare(int type, int op, const void *values, const void *constant, uint64_t *mask, int64_t words) {
	switch (type) {
	case H5ARROW_SIGNED + 1:
		DISPATCH(i8, int8_t)
	case H5ARROW_SIGNED + 2:
		DISPATCH(i16, int16_t)
	case H5ARROW_SIGNED + 4:
		DISPATCH(i32, int32_t)
	case H5ARROW_SIGNED + 8:
		DISPATCH(i64, int64_t)
	case H5ARROW_UNSIGNED + 1:
		DISPATCH(u8, uint8_t)
	case H5ARROW_UNSIGNED + 2:
		DISPATCH(u16, uint16_t)
	case H5ARROW_UNSIGNED + 4:
		DISPATCH(u32, uint32_t)
	case H5ARROW_UNSIGNED + 8:
		DISPATCH(u64, uint64_t)
	case H5ARROW_FLOAT + 4:
		DISPATCH(f32, float)
	case H5ARROW_FLOAT + 8:
		DISPATCH(f64, double)
	}
}

void h5arrow_pick(int width, void *to, int64_t n, const void *values, const uint64_t *mask, int64_t words) {
	BEST(pick)(width, to, n, values, mask, words);
}

void h5arrow_pick_doubles(double *to, int64_t n, const float *values, const uint64_t *mask, int64_t words) {
	BEST(pick_doubles)(to, n, values, mask, words);
}

void h5arrow_pick_bits(uint64_t *to, int64_t at, const uint64_t *bits, const uint64_t *mask, int64_t words) {
	BEST(pick_bits)(to, at, bits, mask, words);
}
