// The HDF5 C library, opened while the program runs. Its types and constants are declared here, because its header files need not
// be there: they are the same in all versions since 1.10.

#ifndef H5ARROW_PLUGINS_LIBRARY_H
#define H5ARROW_PLUGINS_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

enum { LIB_MAX_RANK = 32 };

// Flags for the innermost error of the calling thread's error stack.
enum {
	LIB_PLUGIN = 1,      // a filter or plugin is missing
	LIB_NOT_FOUND = 2,   // no link by that name
	LIB_MEMORY = 4,      // out of memory
	LIB_UNSUPPORTED = 8, // a feature, or a version of the format, that the library does not know
};

// lib_load opens the library. It returns NULL, or the reason why none is used; the text stays valid.
const char *lib_load(unsigned version[3]);

// lib_dataset is an open dataset. Identifiers that are not open are 0.
typedef struct {
	int64_t file, access, dataset, type, space;
	int64_t memory; // the dataspace of what lib_read reads
	int chunked; // whether its storage is chunked
	int heap;    // whether elements, or parts of them, are pointers in memory
	int rank;
	uint64_t dims[LIB_MAX_RANK];
	size_t size; // bytes of an element in memory
} lib_dataset;

// lib_open opens a dataset for reading. It returns NULL, or what failed. The caller calls lib_close in any case, after lib_error.
const char *lib_open(lib_dataset *d, const char *file, const char *name);

// lib_read reads the rows [a,b) into p, once. It returns NULL, or what failed.
const char *lib_read(lib_dataset *d, uint64_t a, uint64_t b, void *p);

void lib_close(lib_dataset *d);

// lib_error writes the calling thread's error stack to buf, outermost first, with ": " between the entries, cut to n bytes
// with the terminating NUL. It returns the flags above. n must not be 0.
unsigned lib_error(char *buf, size_t n);

#endif
