/* SPDX-License-Identifier: MIT
 *
 * What is at an offset, whether structs agree, and how types are printed.
 */
#include "base/arena.h"
#include "test.h"
#include "unit/btf_build.h"

/*
 * struct inner { int x; struct inner *next; char name[12]; };       24 + 4 bytes of end
 * struct outer {
 *	struct inner first;			  0
 *	struct inner many[2][3];		 32
 *	union { u64 raw; struct inner *ptr; };	224
 *	int a:3, b:29;				232
 *	int wide:20;				236, then a hole of one byte
 *	struct inner *ptrs[4];			240
 *	union { struct inner only; };		272
 *	struct inner tail[];			304
 * };
 */
struct world {
	struct bb b;
	struct btf *btf;
	u32 i32, u64_, inner, inner_ptr, outer;
};

static void world_open(struct world *w)
{
	struct bb *b = &w->b;
	u32 choice, single, c;

	bb_init(b, NULL);
	w->i32 = bb_int(b, "int", 4);
	w->u64_ = bb_int(b, "u64", 8);
	c = bb_int(b, "char", 1);
	w->inner_ptr = bb_ptr(b, 8);
	w->inner = bb_array(b, c, 12) + 1; /* the array takes ids 5 and 6 */
	bb_ref(b, BTF_CONST, NULL, w->i32);
	w->inner = bb_struct(b, "inner", 32, {"x", w->i32, 0}, {"next", w->inner_ptr, 64},
			     {"name", 6, 128});
	CHECK_EQ(w->inner, 8);
	choice = bb_union(b, NULL, 8, {"raw", w->u64_, 0}, {"ptr", w->inner_ptr, 0});
	single = bb_union(b, NULL, 32, {"only", w->inner, 0});
	w->outer = bb_struct(
		b, "outer", 304, {"first", w->inner, 0},
		{"many", bb_array(b, bb_array(b, w->inner, 3), 2), 256},
		{NULL, choice, 224 * 8}, {"a", w->i32, 232 * 8, 3}, {"b", w->i32, 1859, 29},
		{"wide", w->i32, 236 * 8, 20}, {"ptrs", bb_array(b, w->inner_ptr, 4), 1920},
		{NULL, single, 272 * 8}, {"tail", bb_array(b, w->inner, 0), 304 * 8});
	w->outer = btf_end(w->btf = bb_open(b, "world")) - 1;
}

static void world_close(struct world *w)
{
	btf_close(w->btf);
	bb_free(&w->b);
}

/* What @size bytes at @off are, in words. */
static const char *walk(struct world *w, u32 off, u32 size, bool flex)
{
	static char text[200];
	const char *why;
	struct btf_at at;

	if (!btf_walk(w->btf, w->outer, off, size, flex, &at, &why))
		return why;
	snprintf(text, sizeof(text), "%s.%s+%u#%u[%u]%s%s",
		 btf_type_name(w->btf, at.owner),
		 btf_str(w->btf,
			 btf_members(btf_type(w->btf, at.owner))[at.member].name_off),
		 at.off, at.size, at.index, at.in_union ? " union" : "",
		 at.bitfield ? " bits" : "");
	return text;
}

TEST(btf_walk_finds_members)
{
	struct world w;

	world_open(&w);
	CHECK_STR(walk(&w, 0, 4, false), "inner.x+0#4[0]");
	CHECK_STR(walk(&w, 1, 2, false), "inner.x+0#4[0]");
	CHECK_STR(walk(&w, 8, 8, false), "inner.next+8#8[0]");
	CHECK_STR(walk(&w, 12, 4, false), "inner.next+8#8[0]");
	CHECK_STR(walk(&w, 16, 1, false), "inner.name+16#1[0]");
	CHECK_STR(walk(&w, 18, 4, false), "inner.name+18#1[2]");
	CHECK_STR(walk(&w, 20, 8, false), "inner.name+20#1[4]");
	CHECK_STR(walk(&w, 21, 8, false), "crosses the end of a member");
	CHECK_STR(walk(&w, 4, 4, false), "no member there");
	CHECK_STR(walk(&w, 0, 8, false), "crosses the end of a member");
	CHECK_STR(walk(&w, 28, 4, false), "no member there");
	CHECK_STR(walk(&w, 32 + 5 * 32 + 8, 8, false), "inner.next+200#8[0]");
	CHECK_STR(walk(&w, 240 + 3 * 8, 8, false), "outer.ptrs+264#8[3]");
	CHECK_STR(walk(&w, 244, 8, false), "crosses the end of a member");
	CHECK_STR(walk(&w, 304, 4, false), "beyond the end of the struct");
	CHECK_STR(walk(&w, 300, 8, false), "beyond the end of the struct");
	CHECK_STR(walk(&w, 0xffffffff, 8, false), "beyond the end of the struct");
	CHECK_STR(walk(&w, 0, 0, false), "no member there");
	world_close(&w);
}

TEST(btf_walk_unions_and_tails)
{
	struct world w;

	world_open(&w);
	CHECK_STR(walk(&w, 224, 8, false), ".raw+224#8[0] union");
	CHECK_STR(walk(&w, 272 + 8, 8, false), "inner.next+280#8[0]");
	CHECK_STR(walk(&w, 304 + 8, 8, true), "inner.next+312#8[0]");
	CHECK_STR(walk(&w, 304 + 32 * 100, 4, true), "inner.x+3504#4[0]");
	CHECK_STR(walk(&w, 304 + 4, 4, true), "beyond the end of the struct");
	world_close(&w);
}

TEST(btf_walk_bitfields)
{
	struct world w;

	world_open(&w);
	CHECK_STR(walk(&w, 232, 1, false), "outer.a+232#1[0] bits");
	CHECK_STR(walk(&w, 232, 4, false), "outer.a+232#1[0] bits");
	CHECK_STR(walk(&w, 233, 2, false), "outer.b+232#4[0] bits");
	CHECK_STR(walk(&w, 236, 4, false), "outer.wide+236#3[0] bits");
	CHECK_STR(walk(&w, 236, 2, false), "outer.wide+236#3[0] bits");
	CHECK_STR(walk(&w, 239, 1, false), "no member there");
	world_close(&w);
}

TEST(btf_walk_flexible_scalars)
{
	const char *why;
	struct btf_at at;
	struct btf *btf;
	struct bb b;
	u32 id, arr;

	bb_init(&b, NULL);
	arr = bb_array(&b, bb_int(&b, "char", 1), 0);
	id = bb_struct(&b, "msg", 16, {"len", bb_int(&b, "u64", 8), 0}, {"data", arr, 96});
	btf = bb_open(&b, "flex");
	id = btf_end(btf) - 1;
	CHECK(btf_walk(btf, id, 13, 8, true, &at, &why));
	CHECK_EQ(at.index, 1);
	CHECK(!btf_walk(btf, id, 13, 1, false, &at, &why));
	CHECK(!btf_walk(btf, id, 10, 1, true, &at, &why));
	btf_close(btf);
	bb_free(&b);
}

/* What is read with a bitfield is numbers; and it is known where the read began. */
TEST(btf_walk_around_bitfields)
{
	const char *why;
	struct btf_at at;
	struct btf *btf;
	struct bb b;
	u32 id, num, ptr;

	bb_init(&b, NULL);
	num = bb_int(&b, "u8", 1);
	ptr = bb_ptr(&b, num);
	bb_struct(&b, "mixed", 24, {"small", num, 0, 0}, {"bits", num, 8, 3},
		       {"after", num, 16, 0}, {"more", num, 56, 5}, {"ptr", ptr, 64, 0});
	btf = bb_open(&b, "bits");
	id = btf_end(btf) - 1;
	CHECK(btf_walk(btf, id, 0, 4, false, &at, &why));
	CHECK_EQ(at.from, 1);
	CHECK(btf_walk(btf, id, 1, 2, false, &at, &why));
	CHECK_EQ(at.from, 0);
	CHECK(!at.lenient);
	CHECK(!btf_walk(btf, id, 7, 8, false, &at, &why));
	CHECK(!btf_walk(btf, id, 4, 8, false, &at, &why));
	btf_close(btf);
	bb_free(&b);
}

TEST(btf_walk_is_bounded)
{
	const char *why;
	struct btf_at at;
	struct btf *btf;
	struct bb b;
	u32 id;

	bb_init(&b, NULL);
	id = bb_struct(&b, "s", 8, {"x", bb_int(&b, "int", 4), 0});
	id = 2;
	for (u32 i = 0; i < 60; i++)
		id = bb_union(&b, NULL, 8, {"a", id, 0}, {"b", id, 0});
	btf = bb_open(&b, "wide");
	CHECK(!btf_walk(btf, id, 4, 4, true, &at, &why));
	CHECK_STR(why, "the type is too complex");
	CHECK(!btf_struct_at(btf, id, 4, btf, 2, false));
	btf_close(btf);
	bb_free(&b);
}

TEST(btf_struct_at_offsets)
{
	struct world w;

	world_open(&w);
#define AT(off, strict) btf_struct_at(w.btf, w.outer, off, w.btf, w.inner, strict)
	CHECK(btf_struct_at(w.btf, w.outer, 0, w.btf, w.outer, true));
	CHECK(AT(0, false));
	CHECK(!AT(0, true));
	CHECK(AT(32, false));
	CHECK(AT(32 + 5 * 32, false));
	CHECK(!AT(32 + 8, false));
	CHECK(!AT(224, false));
	CHECK(AT(272, false)); /* a union of one */
	CHECK(AT(304 + 64, false));
	CHECK(!AT(304 + 65, false));
	CHECK(!btf_struct_at(w.btf, w.inner, 0, w.btf, w.outer, false));
	CHECK(!btf_struct_at(w.btf, w.i32, 0, w.btf, w.inner, false));
#undef AT
	world_close(&w);
}

TEST(btf_struct_in_a_union_is_not_taken)
{
	struct btf *btf;
	struct bb b;
	u32 i32, s, u;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	s = bb_struct(&b, "s", 4, {"x", i32, 0});
	u = bb_union(&b, "u", 4, {"s", s, 0}, {"n", i32, 0});
	u = bb_struct(&b, "t", 4, {"u", u, 0});
	btf = bb_open(&b, "u");
	CHECK(!btf_struct_at(btf, u, 0, btf, s, false));
	btf_close(btf);
	bb_free(&b);
}

TEST(btf_same_type_through_a_base)
{
	struct btf *base, *x, *y;
	struct bb b, sx, sy;
	u32 conn, mine;

	bb_init(&b, NULL);
	conn = bb_struct(&b, "conn", 4, {"fd", bb_int(&b, "int", 4), 0});
	conn = 2;
	base = bb_open(&b, "base");
	bb_init(&sx, base);
	mine = bb_struct(&sx, "mine", 4, {"c", conn, 0});
	x = bb_open(&sx, "x");
	bb_init(&sy, base);
	bb_struct(&sy, "mine", 4, {"c", conn, 0});
	y = bb_open(&sy, "y");
	CHECK(btf_same_type(x, conn, y, conn));
	CHECK(btf_same_type(x, conn, base, conn));
	CHECK(!btf_same_type(x, mine, y, mine));
	CHECK(!btf_same_type(x, 1, y, conn));
	CHECK(btf_struct_at(x, mine, 0, base, conn, false));
	btf_close(y);
	btf_close(x);
	btf_close(base);
	bb_free(&sy);
	bb_free(&sx);
	bb_free(&b);
}

/* --- btf_match.c --- */

enum change { NONE, NAME, OFFSET, KIND, SIZE, COUNT, POINTEE, SIGN, ARRAY, BITS, ORDER };

/* struct conn { struct addr { int port; u64 ip[2]; } addr; void *p; int f:3; } */
static struct btf *build_conn(struct bb *b, enum change c)
{
	u32 i32, u64_, addr, ip, peer;

	bb_init(b, NULL);
	i32 = bb_int(b, c == SIGN ? "uint" : "int", 4);
	u64_ = bb_int(b, "u64", 8);
	ip = bb_array(b, u64_, c == ARRAY ? 1 : 2);
	peer = bb_ptr(b, bb_fwd(b, c == POINTEE ? "other" : "peer", false));
	addr = bb_struct(b, "addr", 24, {c == NAME ? "prt" : "port", c == KIND ? peer : i32, 0},
			 {"ip", ip, 64});
	if (c == ORDER)
		bb_struct(b, "conn", 48, {"p", peer, 0}, {"addr", addr, 64}, {"f", i32, 256, 3});
	else if (c == COUNT)
		bb_struct(b, "conn", 48, {"addr", addr, 0}, {"p", peer, 192},
			  {"f", i32, 256, 3}, {"g", i32, 288, 0});
	else
		bb_struct(b, "conn", c == SIZE ? 56 : 48, {"addr", addr, 0}, {"p", peer, 192},
			  {"f", i32, c == OFFSET ? 260 : 256, c == BITS ? 4 : 3});
	return bb_open(b, "conn");
}

static const char *compare(enum change change,
			   bool (*same)(struct arena *, const struct btf *, u32,
					const struct btf *, u32, const char **))
{
	static char text[100];
	struct arena *arena = arena_new();
	const char *path = NULL;
	struct bb a, b;
	struct btf *x = build_conn(&a, change), *y = build_conn(&b, NONE);

	snprintf(text, sizeof(text), "%s",
		 same(arena, x, btf_find(x, "conn", BTF_STRUCT), y,
		      btf_find(y, "conn", BTF_STRUCT), &path) ? "same" : path);
	btf_close(x);
	btf_close(y);
	bb_free(&a);
	bb_free(&b);
	arena_free(arena);
	return text;
}

TEST(btf_layouts_compared)
{
	CHECK_STR(compare(NONE, btf_layout_same), "same");
	CHECK_STR(compare(NAME, btf_layout_same), "conn.addr.prt");
	CHECK_STR(compare(OFFSET, btf_layout_same), "conn.f");
	CHECK_STR(compare(KIND, btf_layout_same), "conn.addr.port");
	CHECK_STR(compare(SIZE, btf_layout_same), "conn");
	CHECK_STR(compare(COUNT, btf_layout_same), "conn.g");
	CHECK_STR(compare(POINTEE, btf_layout_same), "conn.p");
	CHECK_STR(compare(SIGN, btf_layout_same), "conn.addr.port");
	CHECK_STR(compare(ARRAY, btf_layout_same), "conn.addr.ip");
	CHECK_STR(compare(BITS, btf_layout_same), "conn.f");
	CHECK_STR(compare(ORDER, btf_layout_same), "conn.p");
}

TEST(btf_layouts_known)
{
	CHECK_STR(compare(NONE, btf_layout_known), "same");
	CHECK_STR(compare(NAME, btf_layout_known), "conn.addr.prt");
	CHECK_STR(compare(OFFSET, btf_layout_known), "same");
	CHECK_STR(compare(KIND, btf_layout_known), "conn.addr.port");
	CHECK_STR(compare(SIZE, btf_layout_known), "same");
	CHECK_STR(compare(COUNT, btf_layout_known), "conn.g");
	CHECK_STR(compare(ORDER, btf_layout_known), "same");
}

/* --- btf_print.c --- */

TEST(btf_prints_declarations)
{
	struct arena *arena = arena_new();
	struct btf *btf;
	struct bb b;
	u32 i32, conn, kptr, proto, fp, carr, parr, ptag, odd, func, var, t;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	conn = bb_fwd(&b, "conn", false);
	kptr = bb_tagged_ptr(&b, "kptr", conn);
	proto = bb_proto(&b, 0, {"c", kptr}, {"", bb_ref(&b, BTF_CONST, NULL, i32)}, {NULL, 0});
	fp = bb_ptr(&b, proto);
	carr = bb_ref(&b, BTF_CONST, NULL, bb_array(&b, i32, 3));
	parr = bb_ptr(&b, bb_array(&b, bb_array(&b, fp, 0), 7));
	ptag = bb_ref(&b, BTF_CONST, NULL, bb_tagged_ptr(&b, "rcu", bb_ptr(&b, i32)));
	odd = bb_tagged_ptr(&b, "a.b", bb_ref(&b, BTF_VOLATILE, NULL, conn));
	func = bb_func(&b, "get", bb_proto_of(&b, bb_ptr(&b, 0), 0, NULL));
	var = bb_var(&b, "total", carr, BTF_GLOBAL);
	t = bb_ref(&b, BTF_TYPEDEF, "conn_t", conn);
	btf = bb_open(&b, "print");
#define DECL(id, name) btf_decl(arena, btf, id, name, false)
	CHECK_STR(DECL(i32, "x"), "int x");
	CHECK_STR(DECL(i32, ""), "int");
	CHECK_STR(DECL(0, ""), "void");
	CHECK_STR(DECL(kptr, "owner"), "struct conn __kptr *owner");
	CHECK_STR(DECL(fp, "cb"), "void (*cb)(struct conn __kptr *c, const int, ...)");
	CHECK_STR(DECL(carr, "a"), "const int a[3]");
	CHECK_STR(DECL(parr, "p"),
		  "void (*(*p)[7][])(struct conn __kptr *c, const int, ...)");
	CHECK_STR(DECL(ptag, "q"), "int *__rcu *const q");
	CHECK_STR(DECL(ptag, ""), "int *__rcu *const");
	CHECK_STR(DECL(odd, ""),
		  "volatile struct conn __attribute__((btf_type_tag(\"a.b\"))) *");
	CHECK_STR(DECL(func, ""), "void *get(void)");
	CHECK_STR(DECL(var, ""), "const int total[3]");
	CHECK_STR(DECL(t, "c"), "conn_t c");
#undef DECL
	btf_close(btf);
	bb_free(&b);
	arena_free(arena);
}

TEST(btf_prints_bodies)
{
	struct arena *arena = arena_new();
	struct btf *btf;
	struct bb b;
	u32 i32, u, s, e;

	bb_init(&b, NULL);
	i32 = bb_int(&b, "int", 4);
	u = bb_union(&b, NULL, 4, {"a", i32, 0}, {"b", i32, 0});
	s = bb_struct(&b, "conn", 16, {"fd", i32, 0, 3}, {NULL, u, 32}, {"u", u, 64},
		      {"self", bb_ptr(&b, 4), 64});
	CHECK_EQ(s, 4);
	e = bb_enum(&b, "state", {"IDLE", 0}, {"BAD", -1});
	btf = bb_open(&b, "print");
	CHECK_STR(btf_decl(arena, btf, s, "", true),
		  "struct conn {\n\tint fd:3;\n\tunion {\n\t\tint a;\n\t\tint b;\n\t};\n"
		  "\tunion {\n\t\tint a;\n\t\tint b;\n\t} u;\n\tstruct conn *self;\n}");
	CHECK_STR(btf_decl(arena, btf, s, "c", false), "struct conn c");
	CHECK_STR(btf_decl(arena, btf, u, "x", false), "union {...} x");
	CHECK_STR(btf_decl(arena, btf, e, "", true),
		  "enum state {\n\tIDLE = 0,\n\tBAD = -1,\n}");
	btf_close(btf);
	bb_free(&b);
	arena_free(arena);
}

/* One that returns a pointer to itself; and names of which a few fill the memory. */
TEST(btf_prints_bounded)
{
	enum { LONG = 1 << 16, MEMBERS = 2000 };
	struct arena *arena = arena_new();
	struct bb_member *m = calloc(MEMBERS, sizeof(*m));
	char *name = calloc(1, LONG);
	struct btf *btf;
	struct bb b;
	u32 s;

	memset(name, 'n', LONG - 1);
	bb_init(&b, NULL);
	bb_proto(&b, 2, {"a", 3});
	bb_ptr(&b, 1);
	bb_int(&b, "int", 4);
	s = bb_struct(&b, name, 4, {"n", 3, 0});
	for (u32 i = 0; i < MEMBERS; i++)
		m[i] = (struct bb_member){"m", s, 0};
	bb_composite(&b, BTF_UNION, "u", 4, MEMBERS, m);
	btf = bb_open(&b, "long");
	CHECK_HAS(btf_decl(arena, btf, 2, "f", false), "...");
	CHECK(btf_decl(arena, btf, s + 1, "u", true) != NULL);
	CHECK(arena_bytes(arena) < 64 << 20);
	btf_close(btf);
	bb_free(&b);
	free(m);
	free(name);
	arena_free(arena);
}

/* A prototype that takes pointers to itself: not C, but BTF can say it. */
TEST(btf_prints_loops_bounded)
{
	struct arena *arena = arena_new();
	struct btf *btf;
	struct bb b;

	bb_init(&b, NULL);
	bb_proto(&b, 0, {"a", 2}, {"b", 2});
	bb_ptr(&b, 1);
	btf = bb_open(&b, "loop");
	CHECK_HAS(btf_decl(arena, btf, 2, "f", false), "...");
	btf_close(btf);
	bb_free(&b);
	arena_free(arena);
}
