/* SPDX-License-Identifier: MIT
 *
 * Opening BTF: what is taken, and one refused blob for every check.
 */
#include "base/arena.h"
#include "btf/btf_impl.h"
#include "btf/record.h"
#include "test.h"
#include "unit/btf_build.h"

#include <unistd.h>

static struct bb_header *header(struct bb *b)
{
	return (struct bb_header *)bb_blob(b);
}

/* Opens @size bytes of the blob as they are; 0 or the error, whose words are in @log. */
static int try_open(const void *blob, u32 size, struct log *log)
{
	struct btf *btf;
	int err = btf_open(log, "blob", blob, size, NULL, &btf);

	btf_close(btf);
	return err;
}

/* A blob with every kind in it. */
static void build_all_kinds(struct bb *b)
{
	u32 i32, u64_, conn, proto, var, fwd, head, lock, node;

	bb_init(b, NULL);
	bb_str(b, "0"); /* paths of CO-RE, where ask_core() finds them */
	bb_str(b, "0:0");
	bb_str(b, "0:3:1");
	bb_str(b, "0:4:1");
	i32 = bb_int(b, "int", 4);
	u64_ = bb_int(b, "u64", 8);
	fwd = bb_fwd(b, "later", false);
	conn = bb_struct(b, "conn", 40, {"fd", i32, 0, 3}, {"mode", i32, 3, 5},
			 {"peer", bb_ptr(b, fwd), 64}, {"ports", bb_array(b, i32, 3), 128},
			 {"tail", bb_array(b, u64_, 0), 320});
	bb_union(b, "any", 8, {"a", i32, 0}, {"b", u64_, 0});
	bb_enum(b, "state", {"IDLE", 0}, {"BUSY", -1});
	bb_ref(b, BTF_TYPEDEF, "conn_t", conn);
	bb_ref(b, BTF_CONST, NULL, bb_ref(b, BTF_VOLATILE, NULL, conn));
	bb_ref(b, BTF_RESTRICT, NULL, bb_tagged_ptr(b, "kptr", conn));
	proto = bb_proto(b, i32, {"c", bb_ptr(b, conn)}, {NULL, 0});
	bb_decl_tag(b, "arg", bb_func(b, "get", proto), 0);
	var = bb_var(b, "total", u64_, BTF_GLOBAL);
	bb_datasec(b, ".bss", 0, {var, 0, 8});
	bb_raw(b, "double", BTF_FLOAT, false, 0, 8);
	bb_decl_tag(b, "contains:conn:peer", conn, 2);
	head = bb_struct(b, "bpf_list_head", 16, {"a", u64_, 0}, {"b", u64_, 64});
	lock = bb_struct(b, "bpf_spin_lock", 4, {"a", i32, 0});
	node = bb_struct(b, "bpf_list_node", 24, {"a", bb_array(b, u64_, 3), 0});
	node = bb_struct(b, "elem", 32, {"n", node, 0}, {"k", bb_tagged_ptr(b, "kptr", conn), 192});
	head = bb_struct(b, "value", 32, {"h", head, 0}, {"l", lock, 128},
			 {"o", bb_tagged_ptr(b, "kptr", node), 192});
	bb_decl_tag(b, "contains:elem:n", head, 0);
	bb_raw(b, "wide", BTF_ENUM64, false, 1, 8);
	bb_word(b, bb_str(b, "TOP"));
	bb_word(b, 1);
	bb_word(b, 2);
}

TEST(btf_reads_every_kind)
{
	struct bb b;
	struct btf *btf;
	const struct btf_type *t;
	u32 conn, size, count;

	build_all_kinds(&b);
	btf = bb_open(&b, "all");
	conn = btf_find(btf, "conn", BTF_STRUCT);
	t = btf_type(btf, conn);
	CHECK_EQ(btf_vlen(t), 5);
	CHECK_EQ(btf_member_bit(t, &btf_members(t)[1]), 3);
	CHECK_EQ(btf_member_bits(t, &btf_members(t)[1]), 5);
	CHECK_EQ(btf_member_bits(t, &btf_members(t)[2]), 0);
	CHECK_STR(btf_str(btf, btf_members(t)[3].name_off), "ports");
	CHECK(btf_size(btf, btf_members(t)[3].type, &size));
	CHECK_EQ(size, 12);
	CHECK(!btf_size(btf, btf_find(btf, "later", BTF_FWD), &size));
	CHECK(!btf_size(btf, 0, &size));
	CHECK(!btf_find(btf, "conn", BTF_UNION));
	CHECK(!btf_find(btf, "con", BTF_STRUCT));
	CHECK_EQ(btf_skip_mods(btf, btf_find(btf, "conn_t", BTF_TYPEDEF)), conn);
	CHECK_STR(btf_decl_tag(btf, conn, 2, "contains:", &count), "conn:peer");
	CHECK_EQ(count, 1);
	CHECK(!btf_decl_tag(btf, conn, 1, "contains:", &count));
	t = btf_type(btf, btf_find(btf, "wide", BTF_ENUM64));
	CHECK_EQ(btf_enumerators64(t)[0].hi, 2);
	t = btf_type(btf, btf_find(btf, "int", BTF_INT));
	CHECK(btf_int_signed(t) && !btf_int_bool(t));
	CHECK_EQ(btf_int_bits(t), 32);
	CHECK_STR(btf_type_name(btf, 0), "");
	btf_close(btf);
	bb_free(&b);
}

TEST(btf_pointer_queries)
{
	struct bb b;
	struct btf *btf;
	u32 conn, ptr, plain;

	bb_init(&b, NULL);
	conn = bb_composite(&b, BTF_STRUCT, "conn", 0, 0, NULL);
	ptr = bb_ref(&b, BTF_CONST, NULL, bb_tagged_ptr(&b, "kptr", conn));
	plain = bb_ptr(&b, bb_ref(&b, BTF_CONST, NULL, conn));
	btf = bb_open(&b, "ptrs");
	CHECK(btf_ptr_has_tag(btf, ptr, "kptr"));
	CHECK(!btf_ptr_has_tag(btf, ptr, "kpt"));
	CHECK(!btf_ptr_has_tag(btf, plain, "kptr"));
	CHECK(!btf_ptr_has_tag(btf, conn, "kptr"));
	CHECK_EQ(btf_pointee(btf, ptr), conn);
	CHECK_EQ(btf_pointee(btf, plain), conn);
	CHECK_EQ(btf_pointee(btf, conn), 0);
	btf_close(btf);
	bb_free(&b);
}

TEST(btf_split_answers_for_both)
{
	struct bb b, s;
	struct btf *base, *split;
	u32 i32, first, second, mine, count;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	first = bb_struct(&b, "conn", 4, {"fd", i32, 0});
	base = bb_open(&b, "base");
	bb_init(&s, base);
	second = bb_struct(&s, "conn", 8, {"fd", i32, 0}, {"x", i32, 32});
	mine = bb_struct(&s, "mine", 12, {"a", first, 0}, {"b", second, 32});
	bb_decl_tag(&s, "late", first, -1);
	split = bb_open(&s, "split");
	CHECK_EQ(btf_start(split), btf_end(base));
	CHECK_EQ(btf_find(split, "conn", BTF_STRUCT), first);
	CHECK_EQ(btf_find_next(split, first, "conn", BTF_STRUCT), second);
	CHECK_EQ(btf_find_next(split, second, "conn", BTF_STRUCT), 0);
	CHECK_EQ(btf_find(base, "mine", BTF_STRUCT), 0);
	CHECK_EQ(btf_find(split, "mine", BTF_STRUCT), mine);
	CHECK_STR(btf_type_name(split, i32), "int");
	CHECK_STR(btf_decl_tag(split, first, -1, "la", &count), "te");
	CHECK(!btf_decl_tag(base, first, -1, "la", &count));
	btf_close(split);
	btf_close(base);
	bb_free(&s);
	bb_free(&b);
}

TEST(btf_split_may_have_no_strings)
{
	struct bb b, s;
	struct btf *base, *split;
	u32 i32;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	base = bb_open(&b, "base");
	bb_init(&s, base);
	bb_ptr(&s, i32);
	split = bb_open(&s, "split");
	CHECK_EQ(btf_pointee(split, btf_start(split)), i32);
	btf_close(split);
	bb_free(&s);
	bb_init(&s, base);
	bb_word(&s, b.strs.n); /* one past base's strings: nobody's */
	bb_word(&s, BTF_TYPEDEF << 24);
	bb_word(&s, i32);
	bb_refused(&s, "no name");
	btf_close(base);
	bb_free(&b);
}

TEST(btf_essential_names)
{
	CHECK_EQ(btf_essential_len("conn"), 4);
	CHECK_EQ(btf_essential_len("conn___v2"), 4);
	CHECK_EQ(btf_essential_len("conn____v2"), 10);
	CHECK_EQ(btf_essential_len("___conn"), 7);
	CHECK_EQ(btf_essential_len("conn___"), 7);
	CHECK_EQ(btf_essential_len("a___b___c"), 5);
}

TEST(btf_reads_unaligned_bytes)
{
	struct log log = {0};
	struct bb b;
	u8 *moved;

	build_all_kinds(&b);
	bb_blob(&b);
	moved = malloc(b.size + 1);
	memcpy(moved + 1, b.blob, b.size);
	CHECK_EQ(try_open(moved + 1, b.size, &log), 0);
	free(moved);
	bb_free(&b);
}

#define HEADER_TEST(name, change, words)                                                 \
	TEST(btf_refuses_##name)                                                         \
	{                                                                                \
		struct log log = {0};                                                    \
		struct bb_header *h;                                                     \
		struct bb b;                                                             \
                                                                                         \
		build_all_kinds(&b);                                                     \
		h = header(&b);                                                          \
		(void)h;                                                                 \
		change;                                                                  \
		CHECK_EQ(try_open(b.blob, b.size, &log), -EINVAL);                       \
		CHECK_HAS(log.error, words);                                             \
		log_free(&log);                                                          \
		bb_free(&b);                                                             \
	}

HEADER_TEST(no_magic, h->magic = 0x1234, "no BTF magic")
HEADER_TEST(big_endian, h->magic = 0x9feb, "big-endian BTF is not supported")
HEADER_TEST(version, h->version = 2, "unknown version")
HEADER_TEST(header_flags, h->flags = 1, "unknown flags")
HEADER_TEST(short_header_len, h->hdr_len = 20, "header length")
HEADER_TEST(long_header_len, h->hdr_len = b.size + 4, "header length")
HEADER_TEST(later_header, h->hdr_len += 4, "a later format")
HEADER_TEST(unaligned_types, h->type_off = 2, "not 4-byte aligned")
HEADER_TEST(types_beyond, h->type_len = 1u << 31, "type section ends beyond")
HEADER_TEST(types_wrap, h->type_off = 0xfffffffc, "type section ends beyond")
HEADER_TEST(strings_beyond, h->str_len += 1, "string section ends beyond")
HEADER_TEST(overlap, (h->str_off -= 4, h->str_len += 4), "overlap")
HEADER_TEST(empty_inside, (h->str_off = 4, h->str_len = 0), "overlap")
HEADER_TEST(empty_at_start, (h->str_off = 0, h->str_len = 0), "overlap")
HEADER_TEST(strings_first, (h->type_off = h->type_len, h->str_off = 0, h->type_len = 4,
			    h->str_len = 4), "before the types")
HEADER_TEST(gap, (h->str_off += 4, h->str_len -= 4), "data outside")
HEADER_TEST(trailing, h->str_len -= 4, "data outside")
HEADER_TEST(no_strings, (h->str_len = 0, memset(b.blob + sizeof(*h) + h->str_off, 0,
						b.size - sizeof(*h) - h->str_off)),
	    "does not begin with an empty string")
HEADER_TEST(first_string, b.blob[sizeof(*h) + h->str_off] = 'x', "begin with an empty")
HEADER_TEST(last_string, b.blob[b.size - 1] = 'x', "end with a NUL")

/* @build adds types to b; i32 is there. */
#define RECORD_TEST(name, build, words)                                                  \
	TEST(btf_refuses_##name)                                                         \
	{                                                                                \
		struct bb b;                                                             \
		u32 i32;                                                                 \
                                                                                         \
		bb_init(&b, NULL);                                                       \
		i32 = bb_int(&b, "int", 4);                                              \
		(void)i32;                                                               \
		build;                                                                   \
		bb_refused(&b, words);                                                   \
	}

RECORD_TEST(cut_record, bb_word(&b, 0), "type 2: the record is cut off")
RECORD_TEST(cut_elements, bb_raw(&b, "s", BTF_STRUCT, 0, 2, 4), "cut off")
RECORD_TEST(kind_zero, bb_raw(&b, "s", BTF_VOID, 0, 0, 4), "unknown kind")
RECORD_TEST(kind_twenty, bb_raw(&b, "s", NR_BTF_KINDS, 0, 0, 4), "unknown kind")
RECORD_TEST(unused_bits, bb_raw(&b, "s", BTF_STRUCT, 0, 0x10000, 4), "unused bits")
RECORD_TEST(name_offset, (bb_word(&b, 999), bb_word(&b, BTF_STRUCT << 24), bb_word(&b, 0)),
	    "name's offset 999 is out of range")
RECORD_TEST(pointer_name, bb_ref(&b, BTF_PTR, "p", i32), "a name where none belongs")
RECORD_TEST(typedef_without_name, bb_ref(&b, BTF_TYPEDEF, NULL, i32), "no name")
RECORD_TEST(control_name, bb_ref(&b, BTF_TYPEDEF, "a\tb", i32), "control characters")
RECORD_TEST(kflag, bb_raw(&b, NULL, BTF_PTR, 1, 0, i32), "kind flag is set")
RECORD_TEST(vlen, bb_raw(&b, NULL, BTF_PTR, 0, 1, i32), "element count is not zero")
RECORD_TEST(pointer_target, bb_ptr(&b, 77), "target: type id 77 is out of range")
RECORD_TEST(pointer_to_func, bb_ptr(&b, bb_func(&b, "f", bb_proto_of(&b, 0, 0, NULL))),
	    "is a function, which cannot stand there")
RECORD_TEST(func_without_proto, bb_func(&b, "f", i32), "is a int, which cannot")
RECORD_TEST(func_linkage, bb_raw(&b, "f", BTF_FUNC, 0, 3, bb_proto_of(&b, 0, 0, NULL) + 0),
	    "unknown linkage 3")
RECORD_TEST(var_linkage, bb_var(&b, "v", i32, 3), "unknown linkage 3")
RECORD_TEST(void_tagged, bb_decl_tag(&b, "t", 0, -1), "is a void, which cannot")
RECORD_TEST(int_encoding, (bb_raw(&b, "i", BTF_INT, 0, 0, 4), bb_word(&b, 5 << 24 | 32)),
	    "unknown encoding")
RECORD_TEST(int_bit_offset, (bb_raw(&b, "i", BTF_INT, 0, 0, 4), bb_word(&b, 1 << 16 | 8)),
	    "unknown encoding or bit offset")
RECORD_TEST(int_size, (bb_raw(&b, "i", BTF_INT, 0, 0, 3), bb_word(&b, 8)), "size 3")
RECORD_TEST(int_bits, (bb_raw(&b, "i", BTF_INT, 0, 0, 4), bb_word(&b, 33)),
	    "33 bits in 4 bytes")
RECORD_TEST(int_no_bits, (bb_raw(&b, "i", BTF_INT, 0, 0, 4), bb_word(&b, 0)), "0 bits")
RECORD_TEST(float_size, bb_raw(&b, "f", BTF_FLOAT, 0, 0, 5), "size 5")
RECORD_TEST(array_size_field,
	    (bb_raw(&b, NULL, BTF_ARRAY, 0, 0, 1), bb_word(&b, i32), bb_word(&b, i32),
	     bb_word(&b, 1)), "size field is not zero")
RECORD_TEST(array_of_void, bb_array(&b, 0, 1), "is a void")
RECORD_TEST(array_of_functions,
	    bb_array(&b, bb_ref(&b, BTF_TYPEDEF, "f", bb_proto_of(&b, 0, 0, NULL)), 1),
	    "has no size")
RECORD_TEST(array_index,
	    (bb_raw(&b, NULL, BTF_ARRAY, 0, 0, 0), bb_word(&b, i32),
	     bb_word(&b, 3), bb_word(&b, 1), bb_ptr(&b, i32)), "is not an integer")
RECORD_TEST(huge_array, bb_array(&b, i32, 1u << 30), "too large")
RECORD_TEST(huge_array_of_arrays, bb_array(&b, bb_array(&b, i32, 1 << 20), 1 << 20),
	    "too large")
RECORD_TEST(member_type, bb_struct(&b, "s", 4, {"a", 55, 0}), "55 is out of range")
RECORD_TEST(member_fwd, bb_struct(&b, "s", 4, {"a", bb_fwd(&b, "f", 0), 0}), "is a forward")
RECORD_TEST(member_void, bb_struct(&b, "s", 4, {"a", 0, 0}), "is a void")
RECORD_TEST(member_const_void,
	    bb_struct(&b, "s", 4, {"a", bb_ref(&b, BTF_CONST, NULL, 0), 0}), "has no size")
RECORD_TEST(member_name, (bb_raw(&b, "s", BTF_STRUCT, 0, 1, 4), bb_word(&b, 5000),
			  bb_word(&b, i32), bb_word(&b, 0)), "element 0: the name")
RECORD_TEST(member_beyond, bb_struct(&b, "s", 4, {"a", i32, 8}),
	    "member 0 ('a'): ends beyond the struct")
RECORD_TEST(member_far, bb_struct(&b, "s", 4, {"a", i32, 0xfffffff8}), "ends beyond")
RECORD_TEST(member_odd_bit, bb_struct(&b, "s", 8, {"a", i32, 3}), "not at a whole byte")
RECORD_TEST(union_offset, bb_union(&b, "u", 8, {"a", i32, 32}), "not at offset 0")
RECORD_TEST(wide_bitfield, bb_struct(&b, "s", 8, {"a", i32, 0, 33}), "wider than its type")
RECORD_TEST(far_bitfield, bb_struct(&b, "s", 4, {"a", i32, 30, 3}), "ends beyond")
RECORD_TEST(pointer_bitfield, bb_struct(&b, "s", 8, {"a", bb_ptr(&b, 0), 0, 3}),
	    "a bitfield that is no integer")
RECORD_TEST(param_void, bb_proto(&b, 0, {NULL, 0}, {"x", i32}), "parameter 0 is void")
RECORD_TEST(named_void_param, bb_proto(&b, 0, {"x", 0}), "parameter 0 is void")
RECORD_TEST(param_proto, bb_proto(&b, 0, {"x", bb_proto_of(&b, 0, 0, NULL)}),
	    "is a prototype")
RECORD_TEST(section_entry, bb_datasec(&b, ".bss", 4, {i32, 0, 4}), "is a int")
RECORD_TEST(section_order, bb_datasec(&b, ".bss", 8, {bb_var(&b, "a", i32, 0), 4, 4},
				      {bb_var(&b, "b", i32, 0), 0, 4}), "overlaps the one")
RECORD_TEST(section_end, bb_datasec(&b, ".bss", 8, {bb_var(&b, "a", i32, 0), 8, 4}),
	    "ends beyond the section")
RECORD_TEST(section_place, bb_datasec(&b, ".bss", 8, {bb_var(&b, "a", i32, 0), 0, 2}),
	    "larger than its place")
RECORD_TEST(enumerator_name, bb_enum(&b, "e", {NULL, 1}), "element 0 has no name")
RECORD_TEST(enum_size, bb_raw(&b, "e", BTF_ENUM, 0, 0, 3), "size 3")
RECORD_TEST(enum64_size, bb_raw(&b, "e", BTF_ENUM64, 0, 0, 16), "size 16")
RECORD_TEST(enum64_name, (bb_raw(&b, "e", BTF_ENUM64, 0, 1, 8), bb_word(&b, 0),
			  bb_word(&b, 0), bb_word(&b, 0)), "element 0 has no name")
RECORD_TEST(tag_component, bb_decl_tag(&b, "t", bb_struct(&b, "s", 4, {"a", i32, 0}), 1),
	    "component 1 of type 2")
RECORD_TEST(tag_negative, bb_decl_tag(&b, "t", bb_struct(&b, "s", 4, {"a", i32, 0}), -2),
	    "component -2")
RECORD_TEST(tag_param,
	    bb_decl_tag(&b, "t", bb_func(&b, "f", bb_proto(&b, 0, {"x", i32})), 1),
	    "component 1")
RECORD_TEST(tag_var_component, bb_decl_tag(&b, "t", bb_var(&b, "v", i32, 0), 0),
	    "component 0")
RECORD_TEST(tag_without_text, bb_decl_tag(&b, NULL, bb_var(&b, "v", i32, 0), -1), "no name")

RECORD_TEST(typedef_loop, bb_ref(&b, BTF_TYPEDEF, "t", 2), "refers to itself")
RECORD_TEST(pointer_loop, (bb_ptr(&b, 3), bb_ref(&b, BTF_CONST, NULL, 2)),
	    "refers to itself")
RECORD_TEST(array_loop, (bb_raw(&b, NULL, BTF_ARRAY, 0, 0, 0), bb_word(&b, 2),
			 bb_word(&b, i32), bb_word(&b, 1)), "refers to itself")
RECORD_TEST(struct_in_itself, bb_struct(&b, "s", 4, {"s", 2, 0}), "contains itself")
RECORD_TEST(structs_in_a_ring, (bb_struct(&b, "s", 4, {"t", 3, 0}),
				bb_struct(&b, "t", 4, {"s", 4, 0}),
				bb_ref(&b, BTF_TYPEDEF, "alias", 2)), "contains itself")
RECORD_TEST(struct_in_own_array,
	    (bb_struct(&b, "s", 4, {"s", 4, 0}), bb_array(&b, 2, 1)), "contains itself")

static void build_nested(struct bb *b, u32 levels)
{
	u32 inner;

	bb_init(b, NULL);
	inner = bb_int(b, "int", 4);
	for (u32 i = 0; i < levels; i++)
		inner = bb_struct(b, "s", 4, {"a", inner, 0}, {"b", inner, 0});
}

TEST(btf_bounds_nesting)
{
	struct bb b;

	build_nested(&b, BTF_MAX_NEST);
	btf_close(bb_open(&b, "deep"));
	bb_free(&b);
	build_nested(&b, BTF_MAX_NEST + 1);
	bb_refused(&b, "levels of structs");
}

/* The outermost first, so that recursion goes all the way down. */
TEST(btf_bounds_nesting_from_outside)
{
	struct bb b;

	bb_init(&b, NULL);
	for (u32 i = 1; i <= 100000; i++)
		bb_struct(&b, NULL, 4, {"a", i + 1, 0});
	bb_int(&b, "int", 4);
	bb_refused(&b, "levels of structs");
}

static void build_chain(struct bb *b, u32 len)
{
	u32 to;

	bb_init(b, NULL);
	to = bb_int(b, "int", 4);
	for (u32 i = 0; i < len; i++)
		to = bb_ref(b, i % 2 ? BTF_PTR : BTF_CONST, NULL, to);
}

TEST(btf_bounds_chains)
{
	struct bb b;

	build_chain(&b, BTF_MAX_CHAIN);
	btf_close(bb_open(&b, "long"));
	bb_free(&b);
	build_chain(&b, BTF_MAX_CHAIN + 1);
	bb_refused(&b, "refers to itself, or through more than 64");
}

/* Recursive types of C are fine. */
TEST(btf_takes_lists)
{
	struct btf *btf;
	struct bb b;

	bb_init(&b, NULL);
	bb_struct(&b, "node", 8, {"next", 2, 0});
	bb_ptr(&b, 3);
	bb_ref(&b, BTF_TYPEDEF, "node_t", 1);
	btf = bb_open(&b, "list");
	CHECK_EQ(btf_pointee(btf, 2), 1);
	btf_close(btf);
	bb_free(&b);
}

/* gcc 12: a char that is signed and a char, and functions that are only types. */
TEST(btf_takes_gcc_objects)
{
	struct bb b;

	bb_init(&b, NULL);
	bb_raw(&b, "char", BTF_INT, false, 0, 1);
	bb_word(&b, 3 << 24 | 8);
	bb_func(&b, NULL, bb_proto_of(&b, 0, 0, NULL));
	bb_raw(&b, "later", BTF_FWD, false, 0, 8);
	btf_close(bb_open(&b, "gcc"));
	bb_free(&b);
}

/* clang's objects: tabs of source lines in the strings, sections not yet laid out. */
TEST(btf_takes_unfinished_objects)
{
	struct bb b;
	u32 i32;

	bb_init(&b, NULL);
	bb_str(&b, "\tint x = 1;");
	i32 = bb_int(&b, "int", 4);
	bb_datasec(&b, ".data", 0, {bb_var(&b, "a", i32, BTF_GLOBAL), 0, 4},
		   {bb_var(&b, "b", i32, BTF_STATIC), 0, 4});
	bb_datasec(&b, ".ksyms", 0, {bb_func(&b, "f", bb_proto_of(&b, 0, 0, NULL)), 0, 0},
		   {bb_var(&b, "e", bb_ref(&b, BTF_CONST, NULL, 0), BTF_EXTERN), 0, 0});
	bb_decl_tag(&b, "two\nlines", bb_ref(&b, BTF_TYPEDEF, "t", i32), -1);
	btf_close(bb_open(&b, "prog"));
	bb_free(&b);
}

/* A relocation of type @id, with whatever the strings have for a path. */
static void ask_core(struct arena *arena, const struct btf *btf, u32 id, u32 kind)
{
	struct core_relo relo = {.type_id = id, .access_str_off = 1 + kind % 9, .kind = kind};
	struct core_result res;

	core_resolve(NULL, btf, &relo, &btf, 1, &res);
	core_spec_str(arena, btf, &relo);
}

/* Asks an opened object everything; ASan watches. */
static void ask_everything(const struct btf *btf)
{
	struct arena *arena = arena_new();
	const char *path;
	struct btf_at at;
	u32 size, count;

	for (u32 id = 0; id < btf_end(btf); id++) {
		const struct btf_type *t = btf_type(btf, id);

		btf_size(btf, id, &size);
		btf_pointee(btf, id);
		btf_skip_quals(btf, id);
		btf_ptr_has_tag(btf, id, "kptr");
		btf_decl_tag(btf, id, 0, "a", &count);
		btf_find(btf, btf_type_name(btf, id), btf_kind(t));
		btf_find_essential(btf, 0, btf_type_name(btf, id), 3);
		for (u32 i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
			btf_size(btf, btf_members(t)[i].type, &size);
		btf_decl(arena, btf, id, "x", true);
		btf_walk(btf, id, id, 4, true, &at, &path);
		btf_struct_at(btf, id, id, btf, 1, false);
		btf_layout_same(arena, btf, id, btf, btf_end(btf) - 1 - id, &path);
		btf_layout_known(arena, btf, id, btf, btf_end(btf) - 1 - id, &path);
	}
	for (u32 id = 0; id < btf_end(btf); id++) {
		struct record_opts opts = {.era = (enum tag_era)(id % 3), .lenient = id & 1};
		struct record *rec;

		record_parse(arena, NULL, "mutant", btf, id, &opts, &rec);
		ask_core(arena, btf, id, id % (NR_CORE_KINDS + 1));
	}
	arena_free(arena);
}

static int open_and_ask(const u8 *blob, u32 size)
{
	struct btf *btf;
	int err = btf_open(NULL, "mutant", blob, size, NULL, &btf);

	if (!err)
		ask_everything(btf);
	btf_close(btf);
	if (!err)
		return 0;
	if (!btf_open_host(NULL, "mutant", blob, size, NULL, &btf))
		ask_everything(btf);
	btf_close(btf);
	return err;
}

/* What pahole 1.24 makes of _Atomic. */
TEST(btf_mends_hosts)
{
	struct log log = {.level = LOG_NOTE};
	const char *why;
	struct btf *btf;
	struct btf_at at;
	struct bb b;
	u32 i32, func, conn, size, atomic;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	func = bb_func(&b, "last", bb_proto_of(&b, 0, 0, NULL));
	atomic = bb_ref(&b, BTF_TYPEDEF, "atomic_int", func);
	size = bb_struct(&b, "large", 64, {"x", i32, 0});
	conn = bb_struct(&b, "conn", 104, {"fd", i32, 0}, {"refs", func, 32}, {"gen", 0, 64},
			 {"count", atomic, 128}, {"wrong", size, 160}, {"peer", size, 192},
			 {"far", size, 704}, {"vol", bb_ref(&b, BTF_VOLATILE, NULL, func), 704},
			 {"arr", bb_array(&b, func, 2), 736}, {"tail", i32, 800});
	bb_proto(&b, func, {"p", func}, {"q", bb_ptr(&b, func)});
	bb_blob(&b);
	CHECK_EQ(btf_open_host(&log, "app", b.blob, b.size, NULL, &btf), 0);
	conn = btf_find(btf, "conn", BTF_STRUCT);
	CHECK_HAS(log_text(&log), "(struct 'conn'): member 1 has an impossible type, and is taken "
		  "for void (pahole before 1.25 does not know _Atomic)");
	CHECK_HAS(log_text(&log), "and 4 more");
	CHECK_STR(log.error, "");
	for (u32 off = 4; off < 24; off += 4)
		CHECK(!btf_walk(btf, conn, off, 4, false, &at, &why));
	CHECK(btf_walk(btf, conn, 24, 4, false, &at, &why));
	CHECK(btf_walk(btf, conn, 100, 4, false, &at, &why));
	CHECK(!btf_walk(btf, conn, 88, 4, false, &at, &why));
	ask_everything(btf);
	btf_close(btf);
	log_free(&log);
	bb_refused(&b, "which cannot stand there");
}

TEST(btf_survives_truncation)
{
	struct bb b;

	build_all_kinds(&b);
	bb_blob(&b);
	for (u32 n = 0; n < b.size; n++) {
		u8 *cut = malloc(n ? n : 1);

		memcpy(cut, b.blob, n);
		CHECK_EQ(open_and_ask(cut, n), -EINVAL);
		free(cut);
	}
	CHECK_EQ(open_and_ask(b.blob, b.size), 0);
	bb_free(&b);
}

TEST(btf_survives_mutation)
{
	static const u8 values[] = {0, 0x10, 0xff};
	struct bb b;

	build_all_kinds(&b);
	bb_blob(&b);
	for (u32 n = 0; n < b.size; n++) {
		u8 was = b.blob[n];

		for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
			b.blob[n] = values[i];
			open_and_ask(b.blob, b.size);
		}
		for (u32 bit = 0; bit < 8; bit++) {
			b.blob[n] = was ^ (u8)(1 << bit);
			open_and_ask(b.blob, b.size);
		}
		b.blob[n] = was;
	}
	bb_free(&b);
}

/* --- files --- */

TEST(btf_file_of_the_kernel)
{
	struct log log = {0};
	struct btf *btf;
	u32 task;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP("no /sys/kernel/btf/vmlinux");
	if (btf_open_file(&log, "/sys/kernel/btf/vmlinux", NULL, &btf))
		test_fail(__FILE__, __LINE__, "%s", log.error);
	task = btf_find(btf, "task_struct", BTF_STRUCT);
	CHECK(task && btf_vlen(btf_type(btf, task)) > 50);
	btf_close(btf);
}

/* What pahole wrote about this runner agrees with its compiler. */
TEST(btf_file_of_this_program)
{
	struct log log = {0};
	const char *why;
	struct btf *btf;
	struct btf_at at;
	u32 id, size;
	int err = btf_open_file(&log, "/proc/self/exe", NULL, &btf);

	if (err == -ENOENT) {
		log_free(&log);
		SKIP("this runner has no .BTF section");
	}
	CHECK_EQ(err, 0);
	log_free(&log);
	id = btf_find(btf, "bb_header", BTF_STRUCT);
	CHECK(id && btf_size(btf, id, &size));
	CHECK_EQ(size, sizeof(struct bb_header));
	CHECK(btf_walk(btf, id, offsetof(struct bb_header, str_off), 4, false, &at, &why));
	CHECK_STR(btf_str(btf, btf_members(btf_type(btf, id))[at.member].name_off), "str_off");
	ask_everything(btf);
	btf_close(btf);
}

/* Writes @size bytes to a temporary file; its path, static. */
static const char *temp_file(const void *data, size_t size)
{
	static char path[] = "/tmp/pintle-btf-XXXXXX";
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	return path;
}

static int open_temp(const void *data, size_t size, struct log *log)
{
	const char *path = temp_file(data, size);
	struct btf *btf;
	int err = btf_open_file(log, path, NULL, &btf);

	unlink(path);
	if (!err)
		ask_everything(btf);
	btf_close(btf);
	return err;
}

struct tiny_elf {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	struct {
		u32 name, type;
		u64 flags, addr, offset, size;
		u32 link, info;
		u64 align, entsize;
	} sections[3];
	char names[16];
	u8 btf[4096];
};

/* An ELF file that holds @b's BTF and nothing else. */
static struct tiny_elf *build_elf(struct bb *b)
{
	struct tiny_elf *elf = calloc(1, sizeof(*elf));

	bb_blob(b);
	CHECK(elf && b->size <= sizeof(elf->btf));
	*elf = (struct tiny_elf){
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .version = 1,
		.shoff = offsetof(struct tiny_elf, sections), .shentsize = 64,
		.shnum = 3, .shstrndx = 1,
		.sections = {
			[1] = {.name = 1, .type = 3, .size = 16,
			       .offset = offsetof(struct tiny_elf, names)},
			[2] = {.name = 6, .type = 1, .size = b->size,
			       .offset = offsetof(struct tiny_elf, btf)},
		},
		.names = "\0.str\0.BTF",
	};
	memcpy(elf->btf, b->blob, b->size);
	return elf;
}

#define FILE_TEST(name, change, err, words)                                              \
	TEST(btf_file_##name)                                                            \
	{                                                                                \
		struct log log = {0};                                                    \
		struct tiny_elf *elf;                                                    \
		struct bb b;                                                             \
                                                                                         \
		build_all_kinds(&b);                                                     \
		elf = build_elf(&b);                                                     \
		change;                                                                  \
		CHECK_EQ(open_temp(elf, sizeof(*elf), &log), err);                       \
		CHECK_HAS(log.error, words);                                             \
		log_free(&log);                                                          \
		bb_free(&b);                                                             \
		free(elf);                                                               \
	}

FILE_TEST(elf, , 0, "")
FILE_TEST(elf_unaligned, (memmove(elf->btf + 1, elf->btf, b.size),
			  elf->sections[2].offset++), 0, "")
FILE_TEST(elf_many_sections, (elf->shnum = 0, elf->sections[0].size = 3,
			      elf->shstrndx = 0xffff, elf->sections[0].link = 1), 0, "")
FILE_TEST(elf_32_bit, elf->ident[4] = 1, -EINVAL, "not a 64-bit ELF file")
FILE_TEST(elf_big_endian, elf->ident[5] = 2, -EINVAL, "big-endian ELF")
FILE_TEST(elf_section_size, elf->shentsize = 40, -EINVAL, "unknown size")
FILE_TEST(elf_no_sections, elf->shoff = 0, -EINVAL, "without section headers")
FILE_TEST(elf_far_sections, elf->shoff = ~0ull - 3, -EINVAL, "without section headers")
FILE_TEST(elf_far_names, elf->sections[1].offset = ~0ull - 5, -ENOENT, "no .BTF section")
FILE_TEST(elf_names_index, elf->shstrndx = 9, -EINVAL, "without section names")
FILE_TEST(elf_no_btf, elf->names[7] = 'X', -ENOENT, "pahole -J")
FILE_TEST(elf_far_btf, elf->sections[2].size = ~0ull, -EINVAL, "ends beyond the file")
FILE_TEST(elf_compressed, elf->sections[2].flags = 0x800, -EINVAL, "no plain contents")
FILE_TEST(elf_nobits, elf->sections[2].type = 8, -EINVAL, "no plain contents")
FILE_TEST(elf_bad_btf, elf->btf[0] = 0, -EINVAL, "no BTF magic")

TEST(btf_file_raw)
{
	struct log log = {0};
	struct bb b;

	build_all_kinds(&b);
	bb_blob(&b);
	CHECK_EQ(open_temp(b.blob, b.size, &log), 0);
	CHECK_EQ(open_temp("", 0, &log), -EINVAL);
	CHECK_HAS(log.error, "an empty file");
	CHECK_EQ(open_temp("\177ELF", 4, &log), -EINVAL);
	CHECK_HAS(log.error, "too short for a header");
	bb_free(&b);
	log_free(&log);
}

TEST(btf_file_absent)
{
	struct log log = {0};
	struct btf *btf;

	CHECK_EQ(btf_open_file(&log, "/nonexistent", NULL, &btf), -ENOENT);
	CHECK_HAS(log.error, "/nonexistent: No such file");
	CHECK_EQ(btf_open_file(&log, "/", NULL, &btf), -EINVAL);
	CHECK_HAS(log.error, "not a regular file");
	log_free(&log);
}
