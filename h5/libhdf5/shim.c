//go:build libhdf5 && cgo

#include "shim.h"

#include <stdlib.h>
#include <string.h>

void shim_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

typedef struct {
	char *buf;
	size_t len, cap;
	unsigned flags;
	const char *last;
} stack_text;

static void append(stack_text *t, const char *s, size_t n) {
	if (t->cap == 0 || t->len >= t->cap - 1)
		return;
	if (n > t->cap - 1 - t->len)
		n = t->cap - 1 - t->len;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	t->buf[t->len] = 0;
}

// one_error sees the entries from the outermost to the innermost, so that the flags of the last one remain.
static herr_t one_error(unsigned n, const H5E_error2_t *e, void *data) {
	stack_text *t = data;
	const char *desc = e->desc ? e->desc : "";
	(void)n;

	if (desc[0] && !(t->last && strcmp(t->last, desc) == 0)) {
		if (t->len)
			append(t, ": ", 2);
		append(t, desc, strlen(desc));
		t->last = desc;
	}

	unsigned keep = t->flags & SHIM_PLUGIN;
	t->flags = keep;
	if (e->maj_num == H5E_PLUGIN || e->min_num == H5E_NOFILTER || strncmp(desc, "required filter", 15) == 0)
		t->flags |= SHIM_PLUGIN;
	if (e->min_num == H5E_NOTFOUND && e->maj_num == H5E_SYM)
		t->flags |= SHIM_NOT_FOUND;
	if (e->maj_num == H5E_ARGS)
		t->flags |= SHIM_ARGUMENT;
	if (e->min_num == H5E_NOTHDF5)
		t->flags |= SHIM_NOT_HDF5;
	if (e->maj_num == H5E_FILE || e->maj_num == H5E_VFL || e->maj_num == H5E_IO || e->maj_num == H5E_EFL)
		t->flags |= SHIM_FILE;
	if (e->maj_num == H5E_RESOURCE && (e->min_num == H5E_NOSPACE || e->min_num == H5E_CANTALLOC))
		t->flags |= SHIM_MEMORY;
	if (e->min_num == H5E_UNSUPPORTED || e->min_num == H5E_VERSION) // a version from after this library's time
		t->flags |= SHIM_UNSUPPORTED;
	return 0;
}

unsigned shim_stack(char *buf, size_t n) {
	stack_text t = {buf, 0, n, 0, NULL};
	if (n)
		buf[0] = 0;
	// A copy: walking the stack itself would be an API call that clears it on some versions.
	hid_t s = H5Eget_current_stack();
	if (s < 0)
		return 0;
	H5Ewalk2(s, H5E_WALK_DOWNWARD, one_error, &t);
	H5Eclose_stack(s);
	return t.flags;
}

static int list_add(shim_list *l, int tag, const char *s) {
	size_t n = strlen(s) + 1 + (tag ? 1 : 0);
	if (n > l->cap - l->len) {
		size_t cap = l->cap ? 2 * l->cap : 4096;
		while (cap - l->len < n)
			cap *= 2;
		char *p = realloc(l->p, cap);
		if (!p)
			return -1;
		l->p = p;
		l->cap = cap;
	}
	if (tag)
		l->p[l->len++] = (char)tag;
	strcpy(l->p + l->len, s);
	l->len += strlen(s) + 1;
	l->count++;
	return 0;
}

void shim_list_free(shim_list *l) {
	free(l->p);
	memset(l, 0, sizeof *l);
}

static int kind_of(H5O_type_t t) {
	switch (t) {
	case H5O_TYPE_GROUP:
		return 1;
	case H5O_TYPE_DATASET:
		return 2;
	case H5O_TYPE_NAMED_DATATYPE:
		return 3;
	default:
		return 4;
	}
}

#if H5_VERSION_GE(1, 12, 0)
static herr_t one_object(hid_t id, const char *name, const H5O_info2_t *info, void *data) {
	(void)id;
	return list_add(data, kind_of(info->type), name);
}

herr_t shim_visit(hid_t id, shim_list *l) {
	return H5Ovisit3(id, H5_INDEX_NAME, H5_ITER_INC, one_object, l, H5O_INFO_BASIC);
}
#else
static herr_t one_object(hid_t id, const char *name, const H5O_info_t *info, void *data) {
	(void)id;
	return list_add(data, kind_of(info->type), name);
}

herr_t shim_visit(hid_t id, shim_list *l) {
	return H5Ovisit2(id, H5_INDEX_NAME, H5_ITER_INC, one_object, l, H5O_INFO_BASIC);
}
#endif

static herr_t one_attribute(hid_t id, const char *name, const H5A_info_t *info, void *data) {
	(void)id;
	(void)info;
	return list_add(data, 0, name);
}

herr_t shim_attributes(hid_t id, shim_list *l) {
	return H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, NULL, one_attribute, l);
}

static herr_t refuse(const char *parent_file, const char *parent_group, const char *child_file,
                     const char *child_object, unsigned *flags, hid_t fapl, void *data) {
	(void)parent_file;
	(void)parent_group;
	(void)child_file;
	(void)child_object;
	(void)flags;
	(void)fapl;
	(void)data;
	return -1;
}

herr_t shim_refuse_external(hid_t lapl) { return H5Pset_elink_cb(lapl, refuse, NULL); }

hid_t shim_class_lcpl(void) { return H5P_LINK_CREATE; }
hid_t shim_class_fapl(void) { return H5P_FILE_ACCESS; }
hid_t shim_class_fcpl(void) { return H5P_FILE_CREATE; }
hid_t shim_class_gcpl(void) { return H5P_GROUP_CREATE; }
hid_t shim_i8(void) { return H5T_STD_I8LE; }
hid_t shim_b8(void) { return H5T_STD_B8LE; }
hid_t shim_f64(void) { return H5T_IEEE_F64LE; }
hid_t shim_string(void) { return H5T_C_S1; }
hid_t shim_ref_object(void) { return H5T_STD_REF_OBJ; }
hid_t shim_ref_region(void) { return H5T_STD_REF_DSETREG; }

hid_t shim_time(size_t size, int big) {
	if (size == 4)
		return big ? H5T_UNIX_D32BE : H5T_UNIX_D32LE;
	return big ? H5T_UNIX_D64BE : H5T_UNIX_D64LE;
}

int shim_ref_kind(hid_t type) {
	if (H5Tequal(type, H5T_STD_REF_OBJ) > 0)
		return 1;
	if (H5Tequal(type, H5T_STD_REF_DSETREG) > 0)
		return 2;
#ifdef H5T_STD_REF
	if (H5Tequal(type, H5T_STD_REF) > 0)
		return 3;
#endif
	return 0;
}

static H5F_libver_t bound(int v) {
	switch (v) {
	case 1:
		return H5F_LIBVER_EARLIEST;
	case 2:
		return H5F_LIBVER_V18;
	default:
		return H5F_LIBVER_LATEST;
	}
}

herr_t shim_libver(hid_t fapl, int low, int high) {
	return H5Pset_libver_bounds(fapl, bound(low), bound(high));
}

herr_t shim_track_order(hid_t gcpl) {
	unsigned flags = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
	if (H5Pset_link_creation_order(gcpl, flags) < 0)
		return -1;
	return H5Pset_attr_creation_order(gcpl, flags);
}

herr_t shim_variable(hid_t type) { return H5Tset_size(type, H5T_VARIABLE); }
