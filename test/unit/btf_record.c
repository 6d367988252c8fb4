/* SPDX-License-Identifier: MIT
 *
 * Records (rule book K.1): each declaration with what becomes of it. The host has
 *
 *	struct T { int pid; struct T *parent; };	with a destructor
 *	struct W { long a; };				without
 *
 * and the program, built by each test, may have the same.
 */
#include "base/arena.h"
#include "btf/record.h"
#include "test.h"
#include "unit/btf_build.h"

struct env {
	struct bb host, b;
	struct btf *host_btf;
	u32 i32, u64_, t, w; /* of the program */
};

static bool only_t(void *data, const struct btf *btf, u32 type)
{
	return !strcmp(btf_type_name(btf, type), "T");
}

static u32 build_t(struct bb *b, u32 i32)
{
	u32 ptr = bb_ptr(b, b->next_id + 1);

	return bb_struct(b, "T", 16, {"pid", i32, 0}, {"parent", ptr, 64});
}

static void env_init(struct env *e)
{
	bb_init(&e->host, NULL);
	build_t(&e->host, bb_int(&e->host, "int", 4));
	bb_struct(&e->host, "W", 8, {"a", bb_int(&e->host, "long", 8), 0});
	e->host_btf = bb_open(&e->host, "host");
	bb_init(&e->b, NULL);
	e->i32 = bb_int(&e->b, "int", 4);
	e->u64_ = bb_int(&e->b, "u64", 8);
	e->t = build_t(&e->b, e->i32);
	e->w = bb_struct(&e->b, "W", 8, {"a", e->u64_, 0});
}

static const char *describe(const struct record *rec)
{
	static char text[1000];
	size_t n = 0;

	if (!rec)
		return "none";
	for (u32 i = 0; i < rec->n; i++) {
		const struct field *f = &rec->fields[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s+%u", i ? ", " : "",
				      field_kind_name(f->kind), f->path, f->off);
		if (f->btf)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "=%s%s",
					      f->local ? "local " : "",
					      btf_type_name(f->btf, f->type));
	}
	return text;
}

/* Parses @value and says what came of it; the program is closed. */
static const char *outcome(struct env *e, u32 value, struct record_opts opts, int *err)
{
	static char text[1000];
	const struct btf *hosts[] = {e->host_btf};
	struct arena *arena = arena_new();
	struct btf *btf = bb_open(&e->b, "prog");
	struct log log = {0};
	struct record *rec;

	opts.host = hosts;
	opts.nhost = 1;
	opts.has_dtor = only_t;
	*err = record_parse(arena, &log, "map 'm'", btf, value, &opts, &rec);
	snprintf(text, sizeof(text), "%s", *err ? log.error : describe(rec));
	log_free(&log);
	btf_close(btf);
	btf_close(e->host_btf);
	arena_free(arena);
	bb_free(&e->b);
	bb_free(&e->host);
	return text;
}

/* A declaration: @build adds to e.b and leaves the value's id in v. */
#define RECORD_TEST(name, build, opts_, want_err, want)                                  \
	TEST(record_##name)                                                              \
	{                                                                                \
		struct env e;                                                            \
		const char *text;                                                        \
		u32 v = 0;                                                               \
		int err;                                                                 \
                                                                                         \
		env_init(&e);                                                            \
		build;                                                                   \
		text = outcome(&e, v, (struct record_opts)opts_, &err);                  \
		CHECK_STR(text, want);                                                   \
		CHECK_EQ(err, want_err);                                                 \
	}

#define P(tag, to) bb_tagged_ptr(&e.b, tag, to)
#define REF(kind, to) bb_ref(&e.b, kind, NULL, to)
/* struct v { u64 pad; TYPE p; } */
#define VALUE(type) v = bb_struct(&e.b, "v", 16, {"pad", e.u64_, 0}, {"p", type, 64})
#define DEFAULT {0}
#define LENIENT {.lenient = true}
#define ERA(e) {.era = e}

RECORD_TEST(D01_both, v = bb_struct(&e.b, "v", 24, {"ref", P("kptr", e.t), 128},
				    {"un", P("kptr_untrusted", e.t), 0}),
	    DEFAULT, 0, "kptr_untrusted v.un+0=T, kptr v.ref+16=T")
RECORD_TEST(plain, VALUE(bb_ptr(&e.b, e.t)), DEFAULT, 0, "none")
RECORD_TEST(A15_int_value, v = e.i32, DEFAULT, 0, "none")
RECORD_TEST(A15_pointer_value, v = P("kptr", e.t), DEFAULT, -EINVAL,
	    "map 'm': value: kptr: the value itself cannot be a slot; put it into a struct "
	    "(D_PLACE)")
RECORD_TEST(D11_int, VALUE(P("kptr", e.i32)), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: int is not a struct (D_POINTEE)")
RECORD_TEST(D11_void, VALUE(P("kptr", 0)), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: void is not a struct (D_POINTEE)")
RECORD_TEST(D11_pointer, VALUE(P("kptr", bb_ptr(&e.b, e.t))), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: struct T * is not a struct (D_POINTEE)")
RECORD_TEST(D11_function, VALUE(P("kptr", bb_proto_of(&e.b, 0, 0, NULL))), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: void (void) is not a struct (D_POINTEE)")
RECORD_TEST(D11_lenient, VALUE(P("kptr", e.i32)), LENIENT, 0, "none")
RECORD_TEST(D12_union, VALUE(P("kptr", bb_union(&e.b, "u", 4, {"a", e.i32, 0}))), DEFAULT,
	    -EINVAL, "map 'm': v.p: kptr: union u is not a struct (D_POINTEE)")
RECORD_TEST(D13_forward, VALUE(P("kptr", bb_fwd(&e.b, "T", false))), DEFAULT, 0,
	    "kptr v.p+8=T")
RECORD_TEST(D14_forward_unknown, VALUE(P("kptr", bb_fwd(&e.b, "X", false))), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: struct X is only declared here, and unknown to the host "
	    "(D_FWD)")
RECORD_TEST(D14_forward_lenient, VALUE(P("kptr", bb_fwd(&e.b, "X", false))), LENIENT, 0,
	    "none")
RECORD_TEST(A9_forward_of_own, (bb_struct(&e.b, "X", 4, {"a", e.i32, 0}),
				VALUE(P("kptr", bb_fwd(&e.b, "X", false)))),
	    DEFAULT, 0, "kptr v.p+8=local X")
RECORD_TEST(D15_no_destructor, VALUE(P("kptr", e.w)), DEFAULT, -ENOENT,
	    "map 'm': v.p: kptr: struct W has no registered destructor (D_NODTOR)")
RECORD_TEST(D16_untrusted, VALUE(P("kptr_untrusted", e.w)), DEFAULT, 0,
	    "kptr_untrusted v.p+8=W")
RECORD_TEST(D17_local, VALUE(P("kptr", bb_struct(&e.b, "L", 4, {"a", e.i32, 0}))), DEFAULT, 0,
	    "kptr v.p+8=local L")
RECORD_TEST(A7_no_local, VALUE(P("kptr", bb_struct(&e.b, "L", 4, {"a", e.i32, 0}))),
	    {.no_local = true}, -ENOENT,
	    "map 'm': v.p: kptr: struct L is unknown to the host (D_POINTEE)")
RECORD_TEST(A7_anonymous_is_local,
	    VALUE(P("kptr", bb_struct(&e.b, NULL, 4, {"a", e.i32, 0}))), DEFAULT, 0,
	    "kptr v.p+8=local ")
RECORD_TEST(D18_captured, VALUE(P("kptr", bb_struct(&e.b, "T", 8, {"mine", e.u64_, 0}))),
	    DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: struct T is the host's by its name, but T.mine does not fit "
	    "it; rename it, or give it __attribute__((btf_decl_tag(\"local\"))) (D_POINTEE)")
RECORD_TEST(D18_lenient, VALUE(P("kptr", bb_struct(&e.b, "T", 8, {"mine", e.u64_, 0}))),
	    LENIENT, 0, "kptr v.p+8=T")
RECORD_TEST(A8_part_of_host, VALUE(P("kptr", bb_struct(&e.b, "T", 4, {"pid", e.i32, 0}))),
	    DEFAULT, 0, "kptr v.p+8=T")
RECORD_TEST(A8_declared_local,
	    (v = bb_struct(&e.b, "T", 8, {"mine", e.u64_, 0}), bb_decl_tag(&e.b, "local", v, -1),
	     VALUE(P("kptr", v))), DEFAULT, 0, "kptr v.p+8=local T")
RECORD_TEST(D19_two_tags, VALUE(P("kptr", bb_ref(&e.b, BTF_TYPE_TAG, "kptr", e.t))), DEFAULT,
	    -EINVAL, "map 'm': v.p: kptr: 2 type tags on one pointer, where one is wanted "
	    "(D_TAG)")
RECORD_TEST(D20_two_kinds,
	    VALUE(P("kptr", bb_ref(&e.b, BTF_TYPE_TAG, "kptr_untrusted", e.t))), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: 2 type tags on one pointer, where one is wanted (D_TAG)")
RECORD_TEST(D21_foreign_tag, v = bb_struct(&e.b, "v", 24, {"a", P("foo", e.t), 0},
					   {"b", P("user", e.t), 64}, {"c", P("kptr", e.t), 128}),
	    DEFAULT, 0, "kptr v.c+16=T")
RECORD_TEST(D22_old_tag, VALUE(P("kptr_ref", e.t)), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr_ref: a tag of another era; write kptr, or load with the tags of "
	    "5.19 (D_TAG)")
RECORD_TEST(D22_misspelt, VALUE(P("ktpr", e.t)), DEFAULT, -EINVAL,
	    "map 'm': v.p: ktpr: no such tag; one of kptr, kptr_untrusted, percpu_kptr, uptr, "
	    "kptr_percpu, kptr_user is meant? (D_TAG)")
RECORD_TEST(D23_old_era, v = bb_struct(&e.b, "v", 16, {"a", P("kptr", e.w), 0},
				       {"b", P("kptr_ref", e.t), 64}),
	    ERA(TAGS_519), 0, "kptr_untrusted v.a+0=W, kptr v.b+8=T")
RECORD_TEST(D23_new_tag_in_old_era, VALUE(P("kptr_untrusted", e.t)), ERA(TAGS_519), -EINVAL,
	    "map 'm': v.p: kptr_untrusted: a tag of another era; write __kptr in the 5.19 era "
	    "(D_TAG)")

#define TAG2(one, two, to)                                                               \
	P("kernel.bpf." one, bb_ref(&e.b, BTF_TYPE_TAG, "kernel.bpf." two, to))
RECORD_TEST(D24_seed_ref, VALUE(TAG2("btf_id", "ref", e.t)), ERA(TAGS_V1), 0, "kptr v.p+8=T")
RECORD_TEST(D24_seed_unref, VALUE(P("kernel.bpf.btf_id", e.w)), ERA(TAGS_V1), 0,
	    "kptr_untrusted v.p+8=W")
RECORD_TEST(D24_seed_percpu, VALUE(TAG2("percpu", "btf_id", e.t)), ERA(TAGS_V1), 0,
	    "percpu_kptr v.p+8=T")
RECORD_TEST(D24_seed_user, VALUE(TAG2("user", "btf_id", e.t)), ERA(TAGS_V1), 0,
	    "kptr_user v.p+8=T")
RECORD_TEST(D25_seed_lone_ref, VALUE(P("kernel.bpf.ref", e.t)), ERA(TAGS_V1), -EINVAL,
	    "map 'm': v.p: kernel.bpf.ref: without the tag kernel.bpf.btf_id beside it (D_TAG)")
RECORD_TEST(D26_seed_both,
	    VALUE(P("kernel.bpf.btf_id", bb_ref(&e.b, BTF_TYPE_TAG, "kernel.bpf.ref",
						bb_ref(&e.b, BTF_TYPE_TAG, "kernel.bpf.percpu",
						       e.t)))),
	    ERA(TAGS_V1), -EINVAL,
	    "map 'm': v.p: kernel.bpf.btf_id: ref, percpu and user exclude each other (D_TAG)")
RECORD_TEST(A3_seed_repeated, VALUE(TAG2("btf_id", "btf_id", e.t)), ERA(TAGS_V1), -EINVAL,
	    "map 'm': v.p: kernel.bpf.btf_id: the tag is repeated (D_TAG)")
RECORD_TEST(D27_seed_reserved, VALUE(P("kernel.x", e.t)), ERA(TAGS_V1), -EACCES,
	    "map 'm': v.p: kernel.x: the names that begin with 'kernel.' are reserved (D_TAG)")
RECORD_TEST(A3_seed_unrelated, VALUE(P("foo", e.t)), ERA(TAGS_V1), 0, "none")
RECORD_TEST(A3_seed_skips, VALUE(P("foo", bb_ref(&e.b, BTF_TYPE_TAG, "kernel.bpf.btf_id", e.t))),
	    ERA(TAGS_V1), 0, "kptr_untrusted v.p+8=T")
RECORD_TEST(A3_seed_tag_in_new_era, VALUE(P("kernel.bpf.btf_id", e.t)), DEFAULT, -EINVAL,
	    "map 'm': v.p: kernel.bpf.btf_id: no such tag; one of kptr, kptr_untrusted, "
	    "percpu_kptr, uptr, kptr_percpu, kptr_user is meant? (D_TAG)")

RECORD_TEST(D28_volatile, VALUE(REF(BTF_VOLATILE, P("kptr", e.t))), DEFAULT, 0,
	    "kptr v.p+8=T")
RECORD_TEST(A4_two_volatiles, VALUE(REF(BTF_VOLATILE, REF(BTF_VOLATILE, P("kptr", e.t)))),
	    DEFAULT, -EINVAL, "map 'm': v.p: kptr: the pointer has a qualifier other than one "
	    "volatile (D_PLACE)")
RECORD_TEST(D29_const, VALUE(REF(BTF_CONST, P("kptr", e.t))), DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: the pointer is const, so nothing could be stored (D_PLACE)")
RECORD_TEST(D29_lenient, VALUE(REF(BTF_CONST, P("kptr", e.t))), LENIENT, 0, "none")
RECORD_TEST(D30_const_pointee,
	    VALUE(P("kptr", REF(BTF_CONST, bb_ref(&e.b, BTF_TYPEDEF, "T_t", e.t)))), DEFAULT, 0,
	    "kptr v.p+8=T")
RECORD_TEST(D31_typedef, VALUE(bb_ref(&e.b, BTF_TYPEDEF, "tp", P("kptr", e.t))), DEFAULT,
	    -EINVAL, "map 'm': v.p: kptr: the pointer is hidden behind a typedef (D_PLACE)")
RECORD_TEST(A4_tag_outside, VALUE(bb_ref(&e.b, BTF_TYPE_TAG, "kptr", bb_ptr(&e.b, e.t))),
	    DEFAULT, -EINVAL,
	    "map 'm': v.p: kptr: the tag belongs between the struct and the '*' (D_PLACE)")
RECORD_TEST(D32_union, VALUE(bb_union(&e.b, NULL, 8, {"q", P("kptr", e.t), 0})), DEFAULT,
	    -EINVAL, "map 'm': v.p.q: kptr: members of unions cannot be special fields "
	    "(D_PLACE)")
RECORD_TEST(D32_lenient, VALUE(bb_union(&e.b, NULL, 8, {"q", P("kptr", e.t), 0})), LENIENT, 0,
	    "none")
RECORD_TEST(D33_flexible, v = bb_struct(&e.b, "v", 8, {"n", e.i32, 0},
					{"p", bb_array(&e.b, P("kptr", e.t), 0), 64}),
	    DEFAULT, -EINVAL, "map 'm': v.p[0]: kptr: an array without a length cannot hold "
	    "special fields (D_PLACE)")
RECORD_TEST(D34_nested_arrays,
	    (v = bb_struct(&e.b, "i", 16, {"x", e.i32, 0}, {"p", P("kptr", e.t), 64}),
	     v = bb_struct(&e.b, "m", 32, {"i", bb_array(&e.b, v, 2), 0}),
	     v = bb_struct(&e.b, "v", 64, {"m", bb_array(&e.b, v, 2), 0})), DEFAULT, 0,
	    "kptr v.m[0].i[0].p+8=T, kptr v.m[0].i[1].p+24=T, kptr v.m[1].i[0].p+40=T, "
	    "kptr v.m[1].i[1].p+56=T")
RECORD_TEST(D35_two_dimensions,
	    v = bb_struct(&e.b, "v", 48,
			  {"p", bb_array(&e.b, bb_array(&e.b, P("kptr", e.t), 3), 2), 0}),
	    DEFAULT, 0, "kptr v.p[0][0]+0=T, kptr v.p[0][1]+8=T, kptr v.p[0][2]+16=T, "
	    "kptr v.p[1][0]+24=T, kptr v.p[1][1]+32=T, kptr v.p[1][2]+40=T")
RECORD_TEST(D36_limit, v = bb_struct(&e.b, "v", 16, {"p", bb_array(&e.b, P("kptr", e.t), 2), 0}),
	    {.max_fields = 2}, 0, "kptr v.p[0]+0=T, kptr v.p[1]+8=T")
RECORD_TEST(D37_over_limit,
	    v = bb_struct(&e.b, "v", 24, {"p", bb_array(&e.b, P("kptr", e.t), 3), 0}),
	    {.max_fields = 2}, -E2BIG, "map 'm': v.p[2]: kptr: more than 2 special fields "
	    "(D_MANY)")
RECORD_TEST(A21_default_limit,
	    v = bb_struct(&e.b, "v", 8 << 20,
			  {"p", bb_array(&e.b, P("kptr", e.t), 1 << 20), 0}),
	    DEFAULT, -E2BIG, "map 'm': v.p[64]: kptr: more than 64 special fields (D_MANY)")

static u32 nest_in(struct env *e, u32 inner, u32 levels)
{
	while (levels--)
		inner = bb_struct(&e->b, "n", 8, {"i", inner, 0});
	return inner;
}

RECORD_TEST(D38_depth_32, v = nest_in(&e, P("kptr", e.t), 32), DEFAULT, 0,
	    "kptr n.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i+0=T")
RECORD_TEST(D38_depth_33, v = nest_in(&e, P("kptr", e.t), 33), DEFAULT, -E2BIG,
	    "map 'm': n.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i: kptr: "
	    "nested more than 32 structs deep (D_MANY)")
RECORD_TEST(D39_packed, v = bb_struct(&e.b, "v", 12, {"a", e.i32, 0}, {"p", P("kptr", e.t), 32}),
	    DEFAULT, -EFAULT, "map 'm': v.p: kptr: offset 4 is not a multiple of 8 (D_ALIGN)")
RECORD_TEST(D39_lenient,
	    v = bb_struct(&e.b, "v", 12, {"a", e.i32, 0}, {"p", P("kptr", e.t), 32}),
	    LENIENT, 0, "none")
RECORD_TEST(D40_packed_outer,
	    v = bb_struct(&e.b, "v", 12, {"a", e.i32, 0},
			  {"in", bb_struct(&e.b, "in", 8, {"p", P("kptr", e.t), 0}), 32}),
	    DEFAULT, -EFAULT, "map 'm': v.in.p: kptr: offset 4 is not a multiple of 8 (D_ALIGN)")
RECORD_TEST(A22_overlap,
	    v = bb_struct(&e.b, "v", 16, {"p", P("kptr", e.t), 0}, {"q", P("kptr", e.t), 0}),
	    DEFAULT, -EEXIST, "map 'm': v.q: kptr: overlaps v.p (D_OVERLAP)")
RECORD_TEST(D55_globals,
	    v = bb_datasec(&e.b, ".data.x", 0, {bb_var(&e.b, "n", e.i32, BTF_GLOBAL), 0, 4},
			   {bb_var(&e.b, "ext", P("kptr", e.t), BTF_EXTERN), 0, 8},
			   {bb_var(&e.b, "held", P("kptr", e.t), BTF_STATIC), 8, 8}),
	    DEFAULT, 0, "kptr held+8=T")

RECORD_TEST(A13_percpu, VALUE(P("percpu_kptr", bb_struct(&e.b, "L", 4, {"a", e.i32, 0}))),
	    DEFAULT, 0, "percpu_kptr v.p+8=local L")
RECORD_TEST(A13_percpu_of_host, VALUE(P("percpu_kptr", e.t)), DEFAULT, -EINVAL,
	    "map 'm': v.p: percpu_kptr: struct T is the host's; only the program's own structs "
	    "can be allocated per CPU (D_POINTEE)")
RECORD_TEST(A13_engine_percpu, VALUE(P("kptr_percpu", e.t)), DEFAULT, 0,
	    "percpu_kptr v.p+8=T")
RECORD_TEST(A2_engine_user, VALUE(P("kptr_user", e.w)), DEFAULT, 0, "kptr_user v.p+8=W")

static u32 bytes_struct(struct env *e, u32 size)
{
	return bb_struct(&e->b, "U", size, {"b", bb_array(&e->b, bb_int(&e->b, "char", 1), size),
					    0});
}

RECORD_TEST(D47_uptr, VALUE(P("uptr", bytes_struct(&e, 4096))), DEFAULT, 0,
	    "uptr v.p+8=local U")
RECORD_TEST(D49_uptr_large, VALUE(P("uptr", bytes_struct(&e, 4097))), DEFAULT, -E2BIG,
	    "map 'm': v.p: uptr: struct U has 4097 bytes, more than a page of 4096 (D_UPTR)")
RECORD_TEST(D49_uptr_empty, VALUE(P("uptr", bytes_struct(&e, 0))), DEFAULT, -EINVAL,
	    "map 'm': v.p: uptr: struct U is empty (D_UPTR)")
RECORD_TEST(D49_uptr_of_host, VALUE(P("uptr", e.t)), DEFAULT, -EINVAL,
	    "map 'm': v.p: uptr: struct T is the host's, where the program's own is wanted "
	    "(D_UPTR)")

/* --- locks and the like --- */

/* struct bpf_... of @size bytes */
static u32 special(struct env *e, const char *name, u32 size)
{
	return bb_struct(&e->b, name, size,
			 {"__opaque", bb_array(&e->b, bb_int(&e->b, "char", 1), size), 0});
}

RECORD_TEST(all_kinds_of_struct,
	    v = bb_struct(&e.b, "v", 112, {"lock", special(&e, "bpf_spin_lock", 4), 0},
			  {"refs", special(&e, "bpf_refcount", 4), 32},
			  {"timer", special(&e, "bpf_timer", 16), 64},
			  {"wq", special(&e, "bpf_wq", 16), 192},
			  {"ln", special(&e, "bpf_list_node", 24), 320},
			  {"rn", special(&e, "bpf_rb_node", 32), 512}),
	    DEFAULT, 0, "bpf_spin_lock v.lock+0, bpf_refcount v.refs+4, bpf_timer v.timer+8, "
	    "bpf_wq v.wq+24, bpf_list_node v.ln+40, bpf_rb_node v.rn+64")
RECORD_TEST(D41_two_locks,
	    (v = special(&e, "bpf_spin_lock", 4),
	     v = bb_struct(&e.b, "v", 8, {"a", v, 0}, {"b", v, 32})), DEFAULT, -E2BIG,
	    "map 'm': v.b: bpf_spin_lock: the second one: v.a is the first (D_OVERLAP)")
RECORD_TEST(A19_array_of_locks,
	    (v = special(&e, "bpf_spin_lock", 4),
	     v = bb_struct(&e.b, "v", 8, {"a", bb_array(&e.b, v, 2), 0})), DEFAULT, -E2BIG,
	    "map 'm': v.a[0]: bpf_spin_lock: cannot be an array's element (D_OVERLAP)")
RECORD_TEST(A20_lock_in_union,
	    VALUE(bb_union(&e.b, NULL, 8, {"l", special(&e, "bpf_spin_lock", 4), 0})), DEFAULT,
	    -EINVAL, "map 'm': v.p.l: bpf_spin_lock: members of unions cannot be special fields "
	    "(D_PLACE)")
RECORD_TEST(special_of_wrong_size, VALUE(special(&e, "bpf_timer", 8)), DEFAULT, -EINVAL,
	    "map 'm': v.p: bpf_timer: 8 bytes in this program, where 16 are wanted (D_PLACE)")
RECORD_TEST(special_unsupported, VALUE(special(&e, "bpf_res_spin_lock", 8)), DEFAULT,
	    -EOPNOTSUPP, "map 'm': v.p: bpf_res_spin_lock: not supported (D_PLACE)")
RECORD_TEST(special_misaligned,
	    v = bb_struct(&e.b, "v", 20, {"t", special(&e, "bpf_timer", 16), 32}), DEFAULT,
	    -EFAULT, "map 'm': v.t: bpf_timer: offset 4 is not a multiple of 8 (D_ALIGN)")

/* --- lists, trees, ownership --- */

enum { LIST = 1, TREE = 2, LOCK = 4, REFS = 8, LIST_NODE = 16, TREE_NODE = 32, SLOT = 64 };

/* A struct with what @parts says; roots and slots hold @what. */
static u32 graph(struct env *e, const char *name, u32 parts, const char *contains, u32 to)
{
	u32 head = special(e, "bpf_list_head", 16), root = special(e, "bpf_rb_root", 16);
	u32 lock = special(e, "bpf_spin_lock", 4), refs = special(e, "bpf_refcount", 4);
	u32 ln = special(e, "bpf_list_node", 24), rn = special(e, "bpf_rb_node", 32);
	struct bb_member m[7];
	u32 n = 0, id;

	if (parts & LIST)
		m[n++] = (struct bb_member){"head", head, 0, 0};
	if (parts & TREE)
		m[n++] = (struct bb_member){"root", root, 128, 0};
	if (parts & LOCK)
		m[n++] = (struct bb_member){"lock", lock, 256, 0};
	if (parts & REFS)
		m[n++] = (struct bb_member){"refs", refs, 288, 0};
	if (parts & LIST_NODE)
		m[n++] = (struct bb_member){"ln", ln, 320, 0};
	if (parts & TREE_NODE)
		m[n++] = (struct bb_member){"rn", rn, 512, 0};
	if (parts & SLOT)
		m[n++] = (struct bb_member){"slot", bb_tagged_ptr(&e->b, "kptr", to), 768, 0};
	id = bb_composite(&e->b, BTF_STRUCT, name, 104, n, m);
	if (contains)
		bb_decl_tag(&e->b, contains, id, 0);
	return id;
}

RECORD_TEST(A35_list,
	    (graph(&e, "node", LIST_NODE, NULL, 0),
	     v = graph(&e, "v", LIST | LOCK, "contains:node:ln", 0)), DEFAULT, 0,
	    "bpf_list_head v.head+0=local node, bpf_spin_lock v.lock+32")
RECORD_TEST(A35_tree,
	    (graph(&e, "node", TREE_NODE, NULL, 0),
	     v = graph(&e, "v", TREE | LOCK, "contains:node:rn", 0)), DEFAULT, 0,
	    "bpf_rb_root v.root+16=local node, bpf_spin_lock v.lock+32")
RECORD_TEST(A35_global_list,
	    (v = graph(&e, "node", LIST_NODE, NULL, 0), v = bb_var(&e.b, "head",
	     special(&e, "bpf_list_head", 16), BTF_STATIC),
	     bb_decl_tag(&e.b, "contains:node:ln", v, -1),
	     v = bb_datasec(&e.b, ".data.A", 24, {v, 0, 16},
			    {bb_var(&e.b, "lock", special(&e, "bpf_spin_lock", 4), BTF_STATIC),
			     16, 4})), DEFAULT, 0,
	    "bpf_list_head head+0=local node, bpf_spin_lock lock+16")
RECORD_TEST(A35_untold, v = graph(&e, "v", LIST | LOCK, NULL, 0), DEFAULT, -EINVAL,
	    "map 'm': v.head: bpf_list_head: no __contains(struct, member) says what it holds "
	    "(D_TAG)")
RECORD_TEST(A35_told_twice,
	    (graph(&e, "node", LIST_NODE, NULL, 0),
	     v = graph(&e, "v", LIST | LOCK, "contains:node:ln", 0),
	     bb_decl_tag(&e.b, "contains:node:ln", v, 0)), DEFAULT, -EEXIST,
	    "map 'm': v.head: bpf_list_head: 2 declarations say what it holds (D_TAG)")
RECORD_TEST(A35_misspelt, v = graph(&e, "v", LIST | LOCK, "contains:node", 0), DEFAULT, -EINVAL,
	    "map 'm': v.head: bpf_list_head: 'contains:node' wants the form "
	    "contains:<struct>:<member> (D_TAG)")
RECORD_TEST(A35_unknown, v = graph(&e, "v", LIST | LOCK, "contains:node:ln", 0), DEFAULT,
	    -ENOENT, "map 'm': v.head: bpf_list_head: no struct node (D_POINTEE)")
RECORD_TEST(A35_wrong_node,
	    (graph(&e, "node", TREE_NODE, NULL, 0),
	     v = graph(&e, "v", LIST | LOCK, "contains:node:rn", 0)), DEFAULT, -EINVAL,
	    "map 'm': v.head: bpf_list_head: struct node has no member 'rn' of type struct "
	    "bpf_list_node (D_POINTEE)")
RECORD_TEST(D42_no_lock,
	    (graph(&e, "node", LIST_NODE, NULL, 0),
	     v = graph(&e, "v", LIST, "contains:node:ln", 0)), DEFAULT, -EINVAL,
	    "map 'm': v.head: bpf_list_head: no struct bpf_spin_lock beside it (D_LOCK)")
RECORD_TEST(D43_no_refcount, v = graph(&e, "v", LIST_NODE | TREE_NODE, NULL, 0), DEFAULT,
	    -EINVAL, "map 'm': v.ln: bpf_list_node: beside a struct bpf_rb_node, but without "
	    "struct bpf_refcount (D_REFCNT)")
RECORD_TEST(A35_shared, v = graph(&e, "v", LIST_NODE | TREE_NODE | REFS, NULL, 0), DEFAULT, 0,
	    "bpf_refcount v.refs+36, bpf_list_node v.ln+40, bpf_rb_node v.rn+64")
RECORD_TEST(D44_list_of_itself,
	    v = graph(&e, "v", LIST | LOCK | LIST_NODE, "contains:v:ln", 0), DEFAULT, -ELOOP,
	    "map 'm': v.head: bpf_list_head: objects own each other in a circle, or more than 8 "
	    "deep (D_CYCLE)")
RECORD_TEST(D45_owners_in_a_row,
	    (graph(&e, "c", LIST_NODE, NULL, 0),
	     graph(&e, "b", LIST | LOCK | LIST_NODE, "contains:c:ln", 0),
	     v = graph(&e, "a", LIST | LOCK | LIST_NODE, "contains:b:ln", 0)), DEFAULT, -ELOOP,
	    "map 'm': a.head: bpf_list_head: what it holds holds others, and is held itself "
	    "(D_CYCLE)")
RECORD_TEST(A36_value_owns_owner,
	    (graph(&e, "c", LIST_NODE, NULL, 0),
	     graph(&e, "b", LIST | LOCK | LIST_NODE, "contains:c:ln", 0),
	     v = graph(&e, "a", LIST | LOCK, "contains:b:ln", 0)), DEFAULT, 0,
	    "bpf_list_head a.head+0=local b, bpf_spin_lock a.lock+32")
RECORD_TEST(D46_slot_to_itself, v = graph(&e, "v", SLOT, NULL, e.b.next_id + 26), DEFAULT,
	    -ELOOP, "map 'm': v.slot: kptr: objects own each other in a circle, or more than 8 "
	    "deep (D_CYCLE)")
RECORD_TEST(D46_lenient, v = graph(&e, "v", SLOT, NULL, e.b.next_id + 26), LENIENT, 0,
	    "kptr v.slot+96=local v")

static u32 own_chain(struct env *e, u32 objects)
{
	u32 id = bb_struct(&e->b, "end", 4, {"x", e->i32, 0});

	while (objects--)
		id = bb_struct(&e->b, "link", 8,
			       {"next", bb_tagged_ptr(&e->b, "kptr", id), 0});
	return id;
}

RECORD_TEST(A36_eight_deep, v = own_chain(&e, 8), DEFAULT, 0, "kptr link.next+0=local link")
RECORD_TEST(A36_nine_deep, v = own_chain(&e, 9), DEFAULT, -ELOOP,
	    "map 'm': link.next: kptr: objects own each other in a circle, or more than 8 deep "
	    "(D_CYCLE)")
RECORD_TEST(errors_of_what_is_owned,
	    VALUE(P("kptr", bb_struct(&e.b, "L", 8, {"bad", P("kptr", e.w), 0}))), DEFAULT,
	    -ENOENT, "map 'm': L.bad: kptr: struct W has no registered destructor (D_NODTOR)")

/* Types that fan out: walked in no time, because plain ones are walked once. */
static u32 fan_out(struct env *e)
{
	u32 id = bb_struct(&e->b, "leaf", 8, {"x", e->u64_, 0});

	for (u32 i = 0; i < 60; i++)
		id = bb_struct(&e->b, "fan", 8, {"a", id, 0}, {"b", id, 0},
			       {"c", bb_array(&e->b, id, 1), 0});
	return id;
}

RECORD_TEST(fans_are_cheap, v = fan_out(&e), DEFAULT, 0, "none")
RECORD_TEST(arrays_are_cheap,
	    v = bb_struct(&e.b, "v", 1u << 31, {"a", bb_array(&e.b, e.u64_, 1 << 28), 0}), DEFAULT,
	    0, "none")
RECORD_TEST(dropped_arrays_are_cheap,
	    (v = bb_union(&e.b, NULL, 8, {"p", P("kptr", e.t), 0}),
	     v = bb_struct(&e.b, "v", 1u << 31, {"a", bb_array(&e.b, v, 1 << 28), 0})), LENIENT, 0,
	    "none")

/* --- queries --- */

TEST(record_queries)
{
	struct record *rec = calloc(1, sizeof(*rec) + 2 * sizeof(struct field));

	rec->n = 2;
	rec->fields[0] = (struct field){.kind = FIELD_LOCK, .off = 4, .size = 4};
	rec->fields[1] = (struct field){.kind = FIELD_REF, .off = 16, .size = 8};
	CHECK(record_at(rec, 4) == &rec->fields[0]);
	CHECK(!record_at(rec, 5));
	CHECK(record_at(rec, 16) == &rec->fields[1]);
	CHECK(!record_overlap(rec, 0, 4));
	CHECK(record_overlap(rec, 0, 5) == &rec->fields[0]);
	CHECK(!record_overlap(rec, 8, 8));
	CHECK(record_overlap(rec, 23, 1) == &rec->fields[1]);
	CHECK(!record_overlap(rec, 24, ~0u));
	CHECK(!record_at(NULL, 0));
	CHECK(!record_overlap(NULL, 0, 8));
	free(rec);
}

/* A31, A32: the same record from two programs. */
struct twin {
	struct bb b;
	struct btf *btf;
	struct record *rec;
};

static void twin_open(struct twin *t, struct arena *arena, const struct btf *host,
		      const char *tag, const char *member, bool local)
{
	struct record_opts opts = {.host = &host, .nhost = 1, .has_dtor = only_t};
	u32 i32, to;

	bb_init(&t->b, NULL);
	i32 = bb_int(&t->b, "int", 4);
	to = local ? bb_struct(&t->b, "L", 4, {"a", i32, 0}) : build_t(&t->b, i32);
	bb_struct(&t->b, "v", 8, {member, bb_tagged_ptr(&t->b, tag, to), 0});
	t->btf = bb_open(&t->b, "twin");
	CHECK_EQ(record_parse(arena, NULL, "m", t->btf, btf_end(t->btf) - 1, &opts, &t->rec), 0);
}

TEST(record_equality)
{
	struct arena *arena = arena_new();
	struct twin a, b, c, d, l, m;
	struct bb host;
	struct btf *btf;

	bb_init(&host, NULL);
	build_t(&host, bb_int(&host, "int", 4));
	btf = bb_open(&host, "host");
	twin_open(&a, arena, btf, "kptr", "p", false);
	twin_open(&b, arena, btf, "kptr", "renamed", false);
	twin_open(&c, arena, btf, "kptr_untrusted", "p", false);
	twin_open(&d, arena, btf, "foo", "p", false);
	twin_open(&l, arena, btf, "kptr", "p", true);
	twin_open(&m, arena, btf, "kptr", "p", true);
	CHECK(record_equal(a.rec, b.rec));  /* D51, D54 */
	CHECK(!record_equal(a.rec, c.rec)); /* D53 */
	CHECK(!record_equal(a.rec, d.rec));
	CHECK(record_equal(d.rec, NULL));
	CHECK(!record_equal(a.rec, l.rec));
	CHECK(record_equal(l.rec, l.rec));
	CHECK(!record_equal(l.rec, m.rec)); /* D52 */
	for (struct twin *t[] = {&a, &b, &c, &d, &l, &m}, **p = t; p < t + 6; p++) {
		btf_close((*p)->btf);
		bb_free(&(*p)->b);
	}
	btf_close(btf);
	bb_free(&host);
	arena_free(arena);
}
