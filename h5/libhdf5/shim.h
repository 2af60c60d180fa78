// C that gonum.org/v1/hdf5 lacks: whatever needs a callback, a macro, or a struct that differs between versions.

#ifndef H5ARROW_LIBHDF5_SHIM_H
#define H5ARROW_LIBHDF5_SHIM_H

#include <hdf5.h>
#include <stddef.h>

#if !H5_VERSION_GE(1, 10, 5)
#error "HDF5 1.10.5 or newer is needed"
#endif

// Flags for the innermost error of the calling thread's error stack.
enum {
	SHIM_NOT_FOUND = 1, // no link by that name
	SHIM_PLUGIN = 2,    // a filter or plugin is missing
	SHIM_ARGUMENT = 4,  // the caller's arguments
	SHIM_FILE = 8,      // opening or using the file failed in the operating system
	SHIM_NOT_HDF5 = 16, // no HDF5 signature
	SHIM_MEMORY = 32,   // out of memory
	SHIM_UNSUPPORTED = 64 // a feature, or a version of the format, that the library does not know
};

// shim_quiet stops the library from printing the calling thread's errors.
void shim_quiet(void);

// shim_stack writes the calling thread's error stack to buf, outermost first, with ": " between the entries, cut to
// n bytes with the terminating NUL. It returns the flags above.
unsigned shim_stack(char *buf, size_t n);

// shim_list is a growing list of NUL-terminated records.
typedef struct {
	char *p;
	size_t len, cap;
	size_t count;
} shim_list;

void shim_list_free(shim_list *l);

// shim_visit walks all objects below id, each once. A record is one byte (1 group, 2 dataset, 3 type, 4 other) and
// the path without its first slash; "." is id itself.
herr_t shim_visit(hid_t id, shim_list *l);

// shim_attributes lists the names of an object's attributes.
herr_t shim_attributes(hid_t id, shim_list *l);

// shim_refuse_external makes an access property list refuse external links.
herr_t shim_refuse_external(hid_t lapl);

// Predefined identifiers, which are macros with a call inside.
hid_t shim_class_lcpl(void);
hid_t shim_class_fapl(void);
hid_t shim_class_fcpl(void);
hid_t shim_class_gcpl(void);
hid_t shim_i8(void);
hid_t shim_b8(void);
hid_t shim_f64(void);
hid_t shim_string(void);
hid_t shim_ref_object(void);
hid_t shim_ref_region(void);
hid_t shim_time(size_t size, int big);

// shim_ref_kind returns the kind of a reference type: 1 object, 2 region, 3 the new kind, 0 none of these.
int shim_ref_kind(hid_t type);

// shim_libver sets the bounds of a file access property list: 1 earliest, 2 version 1.8, 3 latest.
herr_t shim_libver(hid_t fapl, int low, int high);

// shim_track_order makes a group or the root group record the creation order.
herr_t shim_track_order(hid_t gcpl);

// shim_variable makes a string type variable.
herr_t shim_variable(hid_t type);

#endif
