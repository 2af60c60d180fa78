//go:build cgo && (linux || darwin || freebsd)

#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef int64_t hid;
typedef unsigned long long hsize;

typedef struct {
	hid class, major, minor;
	unsigned line;
	const char *function, *file, *text;
} entry;

typedef int (*walker)(unsigned n, const entry *e, void *data);
typedef int (*follow)(const char *, const char *, const char *, const char *, unsigned *, hid, void *);

// CALLS lists what is used of the library: result, name, parameters.
#define CALLS(X)                                                                                  \
	X(int, H5get_libversion, (unsigned *, unsigned *, unsigned *))                            \
	X(int, H5open, (void))                                                                    \
	X(int, H5Eset_auto2, (hid, void *, void *))                                               \
	X(hid, H5Eget_current_stack, (void))                                                      \
	X(int, H5Ewalk2, (hid, int, walker, void *))                                              \
	X(int, H5Eclose_stack, (hid))                                                             \
	X(int, H5PLset_loading_state, (unsigned))                                                 \
	X(hid, H5Fopen, (const char *, unsigned, hid))                                            \
	X(hid, H5Pcreate, (hid))                                                                  \
	X(int, H5Pset_elink_cb, (hid, follow, void *))                                            \
	X(int, H5Pget_layout, (hid))                                                              \
	X(hid, H5Dopen2, (hid, const char *, hid))                                                \
	X(hid, H5Dget_create_plist, (hid))                                                        \
	X(hid, H5Dget_type, (hid))                                                                \
	X(hid, H5Dget_space, (hid))                                                               \
	X(int, H5Dread, (hid, hid, hid, hid, hid, void *))                                        \
	X(int, H5Sget_simple_extent_ndims, (hid))                                                 \
	X(int, H5Sget_simple_extent_dims, (hid, hsize *, hsize *))                                \
	X(int, H5Sselect_hyperslab, (hid, int, const hsize *, const hsize *, const hsize *, const hsize *)) \
	X(hid, H5Screate_simple, (int, const hsize *, const hsize *))                             \
	X(int, H5Tget_class, (hid))                                                               \
	X(size_t, H5Tget_size, (hid))                                                             \
	X(int, H5Tis_variable_str, (hid))                                                         \
	X(int, H5Tequal, (hid, hid))                                                              \
	X(int, H5Tget_nmembers, (hid))                                                            \
	X(hid, H5Tget_member_type, (hid, unsigned))                                               \
	X(hid, H5Tget_super, (hid))                                                               \
	X(int, H5Idec_ref, (hid))

// IDS lists the identifiers that are variables of the library.
#define IDS(X)                        \
	X(H5P_CLS_DATASET_ACCESS_ID_g) \
	X(H5T_STD_REF_OBJ_g)           \
	X(H5T_STD_REF_DSETREG_g)       \
	X(H5E_PLUGIN_g)                \
	X(H5E_NOFILTER_g)              \
	X(H5E_SYM_g)                   \
	X(H5E_NOTFOUND_g)              \
	X(H5E_RESOURCE_g)              \
	X(H5E_NOSPACE_g)               \
	X(H5E_CANTALLOC_g)             \
	X(H5E_UNSUPPORTED_g)           \
	X(H5E_VERSION_g)

// Constants of the library's header files.
enum { LAYOUT_CHUNKED = 2, SELECT_SET = 0, WALK_DOWNWARD = 1, FILTER_PLUGIN = 1, MAX_DEPTH = 64 };
enum { CLASS_STRING = 3, CLASS_COMPOUND = 6, CLASS_REFERENCE = 7, CLASS_VLEN = 9, CLASS_ARRAY = 10 };

static struct {
#define X(result, name, parameters) result(*name) parameters;
	CALLS(X)
#undef X
#define X(name) const hid *name;
	IDS(X)
#undef X
} h5;

static const char *resolve(void *lib) {
#define X(result, name, parameters) \
	if (!(*(void **)&h5.name = dlsym(lib, #name))) \
		return #name;
	CALLS(X)
#undef X
#define X(name) \
	if (!(h5.name = dlsym(lib, #name))) \
		return #name;
	IDS(X)
#undef X
	return NULL;
}

// names are those of the library, newest first: those without a number are in packages for developers.
static const char *const names[] = {
#ifdef __APPLE__
	"libhdf5.dylib", "/opt/homebrew/lib/libhdf5.dylib", "/usr/local/lib/libhdf5.dylib",
#else
	"libhdf5_serial.so.320", "libhdf5.so.320", "libhdf5_serial.so.310", "libhdf5.so.310", "libhdf5_serial.so.200", "libhdf5.so.200",
	"libhdf5_serial.so.103", "libhdf5.so.103", "libhdf5_serial.so", "libhdf5.so",
#endif
};

const char *lib_load(unsigned version[3]) {
	static char text[256];
	void *lib = NULL;
	const char *name = NULL;
	// Plugins that are not linked with the library look for its functions in the whole process: hence RTLD_GLOBAL.
	for (size_t i = 0; !lib && i < sizeof names / sizeof *names; i++)
		lib = dlopen(name = names[i], RTLD_NOW | RTLD_GLOBAL);
	if (!lib)
		return "no libhdf5 is installed where the dynamic loader looks for libraries";
	const char *missing = resolve(lib);
	if (missing) {
		snprintf(text, sizeof text, "%s lacks %s", name, missing);
		return text;
	}
	if (h5.H5open() < 0 || h5.H5get_libversion(&version[0], &version[1], &version[2]) < 0)
		return "it does not start";
	if (version[0] < 1 || (version[0] == 1 && version[1] < 10)) {
		snprintf(text, sizeof text, "%s is version %u.%u.%u, which is older than 1.10", name, version[0], version[1], version[2]);
		return text;
	}
	return NULL;
}

static int refuse(const char *file, const char *group, const char *target, const char *object, unsigned *flags, hid access, void *data) {
	(void)file, (void)group, (void)target, (void)object, (void)flags, (void)access, (void)data;
	return -1;
}

static void drop(hid id) {
	if (id > 0)
		h5.H5Idec_ref(id);
}

// heap reports whether a part of a type is a pointer in memory: sequences, text of any length, references of the new kind.
static int heap(hid type, int depth) {
	int found = 0, class = h5.H5Tget_class(type);
	if (depth > MAX_DEPTH || class == CLASS_VLEN)
		return 1;
	if (class == CLASS_STRING)
		return h5.H5Tis_variable_str(type) != 0;
	if (class == CLASS_REFERENCE)
		return h5.H5Tequal(type, *h5.H5T_STD_REF_OBJ_g) <= 0 && h5.H5Tequal(type, *h5.H5T_STD_REF_DSETREG_g) <= 0;
	if (class == CLASS_ARRAY) {
		hid base = h5.H5Tget_super(type);
		found = base < 0 || heap(base, depth + 1);
		drop(base);
	}
	if (class == CLASS_COMPOUND) {
		int n = h5.H5Tget_nmembers(type);
		found = n < 0;
		for (int i = 0; i < n && !found; i++) {
			hid member = h5.H5Tget_member_type(type, (unsigned)i);
			found = member < 0 || heap(member, depth + 1);
			drop(member);
		}
	}
	return found || class < 0;
}

// describe fills in what is known of an open dataset.
static const char *describe(lib_dataset *d) {
	hid create = h5.H5Dget_create_plist(d->dataset);
	if (create < 0)
		return "get the dataset's creation properties";
	d->chunked = h5.H5Pget_layout(create) == LAYOUT_CHUNKED;
	drop(create);
	if ((d->type = h5.H5Dget_type(d->dataset)) < 0 || (d->size = h5.H5Tget_size(d->type)) == 0)
		return "open the type";
	d->heap = heap(d->type, 0);
	if ((d->space = h5.H5Dget_space(d->dataset)) < 0)
		return "open the dataspace";
	hsize dims[LIB_MAX_RANK];
	d->rank = h5.H5Sget_simple_extent_ndims(d->space);
	if (d->rank < 0 || d->rank > LIB_MAX_RANK || h5.H5Sget_simple_extent_dims(d->space, dims, NULL) < 0)
		return "get the shape";
	for (int i = 0; i < d->rank; i++)
		d->dims[i] = dims[i];
	return NULL;
}

const char *lib_open(lib_dataset *d, const char *file, const char *name) {
	memset(d, 0, sizeof *d);
	h5.H5Eset_auto2(0, NULL, NULL);
	if (h5.H5PLset_loading_state(FILTER_PLUGIN) < 0)
		return "allow plugins";
	if ((d->file = h5.H5Fopen(file, 0, 0)) < 0)
		return "open the file";
	d->access = h5.H5Pcreate(*h5.H5P_CLS_DATASET_ACCESS_ID_g);
	if (d->access < 0 || h5.H5Pset_elink_cb(d->access, refuse, NULL) < 0)
		return "set access properties";
	if ((d->dataset = h5.H5Dopen2(d->file, name, d->access)) < 0)
		return "open the dataset";
	return describe(d);
}

const char *lib_read(lib_dataset *d, uint64_t a, uint64_t b, void *p) {
	hsize start[LIB_MAX_RANK] = {0}, count[LIB_MAX_RANK];
	for (int i = 0; i < d->rank; i++)
		count[i] = d->dims[i];
	start[0] = a;
	count[0] = b - a;
	if (h5.H5Sselect_hyperslab(d->space, SELECT_SET, start, NULL, count, NULL) < 0)
		return "select rows";
	if ((d->memory = h5.H5Screate_simple(d->rank, count, NULL)) < 0)
		return "make a dataspace";
	// The type in memory is that of the file: the library converts nothing.
	return h5.H5Dread(d->dataset, d->type, d->memory, d->space, 0, p) < 0 ? "read the dataset" : NULL;
}

void lib_close(lib_dataset *d) {
	drop(d->memory);
	drop(d->space);
	drop(d->type);
	drop(d->dataset);
	drop(d->access);
	drop(d->file);
}

typedef struct {
	char *buf;
	size_t len, cap;
	unsigned flags;
	const char *last;
} stack_text;

static void append(stack_text *t, const char *s) {
	int n = snprintf(t->buf + t->len, t->cap - t->len, "%s%s", t->len ? ": " : "", s);
	if (n > 0)
		t->len = (size_t)n < t->cap - t->len ? t->len + (size_t)n : t->cap - 1;
	t->last = s;
}

// one_error sees the entries from the outermost to the innermost, so that the flags of the last one remain.
static int one_error(unsigned n, const entry *e, void *data) {
	stack_text *t = data;
	const char *text = e->text ? e->text : "";
	(void)n;
	if (text[0] && !(t->last && strcmp(t->last, text) == 0))
		append(t, text);
	t->flags &= LIB_PLUGIN;
	if (e->major == *h5.H5E_PLUGIN_g || e->minor == *h5.H5E_NOFILTER_g || strncmp(text, "required filter", 15) == 0)
		t->flags |= LIB_PLUGIN;
	if (e->major == *h5.H5E_SYM_g && e->minor == *h5.H5E_NOTFOUND_g)
		t->flags |= LIB_NOT_FOUND;
	if (e->major == *h5.H5E_RESOURCE_g && (e->minor == *h5.H5E_NOSPACE_g || e->minor == *h5.H5E_CANTALLOC_g))
		t->flags |= LIB_MEMORY;
	if (e->minor == *h5.H5E_UNSUPPORTED_g || e->minor == *h5.H5E_VERSION_g)
		t->flags |= LIB_UNSUPPORTED;
	return 0;
}

unsigned lib_error(char *buf, size_t n) {
	stack_text t = {buf, 0, n, 0, NULL};
	buf[0] = 0;
	// A copy: walking the stack itself would be a call that clears it in some versions.
	hid s = h5.H5Eget_current_stack();
	if (s < 0)
		return 0;
	h5.H5Ewalk2(s, WALK_DOWNWARD, one_error, &t);
	h5.H5Eclose_stack(s);
	return t.flags;
}
