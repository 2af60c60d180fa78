//go:build duckdb_arrow && cgo

#include "text.h"

#include <string.h>

// The part of DuckDB's C interface that is used here. This package can't include its header.
typedef uint64_t idx_t;
extern void duckdb_unsafe_vector_assign_string_element_len(void *vector, idx_t index, const char *str, idx_t str_len);

// string_t is duckdb_string_t. It holds short strings; the engine holds a copy of longer ones.
typedef struct {
	uint32_t length;
	char inlined[12];
} string_t;

void h5arrow_fill_text(void *vector, void *data, const char *bytes, const int64_t *offsets, int64_t n) {
	string_t *out = data;
	for (int64_t i = 0; i < n; i++) {
		const char *at = bytes + offsets[i];
		uint64_t length = (uint64_t)(offsets[i + 1] - offsets[i]);
		if (length <= sizeof out->inlined) {
			out[i].length = (uint32_t)length;
			memset(out[i].inlined, 0, sizeof out->inlined);
			memcpy(out[i].inlined, at, length);
		} else {
			duckdb_unsafe_vector_assign_string_element_len(vector, (idx_t)i, at, length);
		}
	}
}
