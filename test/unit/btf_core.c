/* SPDX-License-Identifier: MIT
 *
 * CO-RE: every kind of relocation, answered and put into instructions.
 */
#include "base/arena.h"
#include "isa/isa.h"
#include "test.h"
#include "unit/btf_build.h"

/*
 * The program's types:			and the host's:
 *
 * struct conn {			struct conn {
 *	int fd;			 0		long added;		 0
 *	struct { u64 seen; };	 8		struct addr addr;	 8
 *	struct addr addr;	16		int fd;			24
 *	u32 mode:3, prio:5;	32		u32 pad:9, prio:5, mode:4;	28
 *	int grid[2][3];		36		u64 seen;		32
 *	u32 counts[4];		60		int grid[6];		40
 *	char tail[];		76		u64 counts[2];		64
 * };					u8 *grown; char tail[];	80, 88
 * struct addr { u32 ip; u16 port; };	struct addr { u16 port; u32 ip; u32 more; };
 * enum state { IDLE, BUSY = 5, GONE };	enum state { IDLE, FRESH, BUSY = 7 };
 */
struct env {
	struct bb l, h;
	struct btf *local, *host;
	u32 conn, addr, state, flavour, none;
	u32 i32, u32_, u16_, u64_, ptr, conn_t, wide, fwd, anon, wide_bits;
};

static void build_local(struct env *e)
{
	struct bb *b = &e->l;
	u32 c, seen;

	bb_init(b, NULL);
	e->i32 = bb_int(b, "int", 4);
	e->u32_ = bb_int(b, "unsigned int", 4);
	e->u16_ = bb_int(b, "unsigned short", 2);
	e->u64_ = bb_int(b, "unsigned long", 8);
	c = bb_int(b, "char", 1);
	e->addr = bb_struct(b, "addr", 8, {"ip", e->u32_, 0}, {"port", e->u16_, 32});
	seen = bb_struct(b, NULL, 8, {"seen", e->u64_, 0});
	e->conn = bb_struct(b, "conn", 80, {"fd", e->i32, 0}, {NULL, seen, 64},
			    {"addr", e->addr, 128}, {"mode", e->u32_, 256, 3},
			    {"prio", e->u32_, 259, 5},
			    {"grid", bb_array(b, bb_array(b, e->i32, 3), 2), 288},
			    {"counts", bb_array(b, e->u32_, 4), 480},
			    {"gone", e->i32, 608}, {"tail", bb_array(b, c, 0), 608});
	e->conn = b->next_id - 1;
	e->state = bb_enum(b, "state", {"IDLE", 0}, {"BUSY", 5}, {"GONE", 6});
	e->flavour = bb_struct(b, "conn___old", 8, {"seen", e->u64_, 0});
	e->none = bb_struct(b, "none", 8, {"x", e->u64_, 0});
	e->ptr = bb_ptr(b, e->conn);
	e->conn_t = bb_ref(b, BTF_TYPEDEF, "conn_t", e->conn);
	e->wide = bb_raw(b, "wide", BTF_ENUM64, false, 1, 8);
	bb_word(b, bb_str(b, "TOP___x"));
	bb_word(b, 1);
	bb_word(b, 0);
	e->fwd = bb_fwd(b, "conn", false);
	e->anon = bb_struct(b, NULL, 4, {"x", e->i32, 0});
	e->wide_bits = bb_struct(b, "bits", 16, {"a", e->u64_, 4, 61}, {"s", e->i32, 65, 7});
	e->local = bb_open(b, "prog");
}

static void build_host(struct env *e)
{
	struct bb *b = &e->h;
	u32 i32, u32_, u16_, u64_, c, addr, l;

	bb_init(b, NULL);
	i32 = bb_int(b, "int", 4);
	u32_ = bb_int(b, "unsigned int", 4);
	u16_ = bb_int(b, "unsigned short", 2);
	u64_ = bb_int(b, "unsigned long", 8);
	c = bb_int(b, "char", 1);
	l = bb_int(b, "long", 8);
	addr = bb_struct(b, "addr", 12, {"port", u16_, 0}, {"ip", u32_, 32}, {"more", u32_, 64});
	l = bb_struct(b, "conn", 88, {"added", l, 0}, {"addr", addr, 64}, {"fd", i32, 192},
		      {"pad", u32_, 224, 9}, {"prio", u32_, 233, 5}, {"mode", u32_, 238, 4},
		      {"seen", u64_, 256}, {"grid", bb_array(b, i32, 6), 320},
		      {"counts", bb_array(b, u64_, 2), 512},
		      {"grown", bb_ptr(b, c), 640}, {"tail", bb_array(b, c, 0), 704});
	l = b->next_id - 1;
	bb_enum(b, "state", {"IDLE", 0}, {"FRESH", 1}, {"BUSY", 7});
	bb_ref(b, BTF_TYPEDEF, "conn_t", l);
	bb_raw(b, "wide", BTF_ENUM64, true, 1, 8);
	bb_word(b, bb_str(b, "TOP"));
	bb_word(b, 7);
	bb_word(b, 0x80000000);
	bb_struct(b, "bits", 16, {"a", u64_, 4, 61}, {"s", i32, 70, 7});
	e->host = bb_open(b, "host");
}

static void env_open(struct env *e)
{
	build_local(e);
	build_host(e);
}

static void env_close(struct env *e)
{
	btf_close(e->local);
	btf_close(e->host);
	bb_free(&e->l);
	bb_free(&e->h);
}

/* Reopens the program with @path in its strings. */
static struct core_relo relo_of(struct env *e, u32 kind, u32 type, const char *path)
{
	struct core_relo relo = {.type_id = type, .kind = kind};

	btf_close(e->local);
	relo.access_str_off = bb_str(&e->l, path);
	e->local = bb_open(&e->l, "prog");
	return relo;
}

static const char *ask(struct env *e, u32 kind, u32 type, const char *path)
{
	static char text[600];
	struct core_relo relo = relo_of(e, kind, type, path);
	const struct btf *hosts[] = {e->host};
	struct core_result res;
	struct log log = {0};

	if (core_resolve(&log, e->local, &relo, hosts, 1, &res))
		snprintf(text, sizeof(text), "%s", log.error);
	else if (res.poison)
		snprintf(text, sizeof(text), "poison");
	else
		snprintf(text, sizeof(text), "%lld", (long long)res.value);
	log_free(&log);
	return text;
}

#define ASK(kind, type, path, want) CHECK_STR(ask(&e, CORE_##kind, e.type, path), want)

TEST(core_fields)
{
	struct env e;

	env_open(&e);
	ASK(FIELD_BYTE_OFFSET, conn, "0:0", "24");
	ASK(FIELD_BYTE_OFFSET, conn, "0:1:0", "32"); /* was in an anonymous struct */
	ASK(FIELD_BYTE_OFFSET, conn, "0:2:0", "12");
	ASK(FIELD_BYTE_OFFSET, conn, "0:2:1", "8");
	ASK(FIELD_BYTE_OFFSET, conn, "2:0", "200");
	ASK(FIELD_BYTE_OFFSET, conn, "0:6:1", "72");
	ASK(FIELD_BYTE_OFFSET, conn, "0:6:2", "poison"); /* the host has two */
	ASK(FIELD_BYTE_OFFSET, conn, "0:8:5", "93");	  /* a flexible array */
	ASK(FIELD_BYTE_OFFSET, conn, "0:7", "poison");
	ASK(FIELD_BYTE_OFFSET, conn, "0", "0");
	ASK(FIELD_BYTE_SIZE, conn, "0", "88");
	ASK(FIELD_BYTE_SIZE, conn, "0:2", "12");
	ASK(FIELD_BYTE_SIZE, conn, "0:6", "16");
	ASK(FIELD_BYTE_SIZE, conn, "0:6:0", "8");
	ASK(FIELD_EXISTS, conn, "0:0", "1");
	ASK(FIELD_EXISTS, conn, "0:7", "0");
	ASK(FIELD_EXISTS, none, "0:0", "0");
	ASK(FIELD_BYTE_OFFSET, none, "0:0", "poison");
	ASK(FIELD_SIGNED, conn, "0:0", "1");
	ASK(FIELD_SIGNED, conn, "0:2:0", "0");
	ASK(FIELD_LSHIFT_U64, conn, "0:0", "32");
	ASK(FIELD_RSHIFT_U64, conn, "0:0", "32");
	ASK(FIELD_BYTE_OFFSET, conn_t, "0:0", "24");
	ASK(FIELD_BYTE_OFFSET, flavour, "0:0", "32");
	env_close(&e);
}

/* int grid[2][3] of the program is int grid[6] in the host, as pahole writes it. */
TEST(core_flattened_arrays)
{
	struct env e;

	env_open(&e);
	ASK(FIELD_BYTE_OFFSET, conn, "0:5:1:2", "60");
	ASK(FIELD_BYTE_SIZE, conn, "0:5:1:2", "4");
	ASK(FIELD_BYTE_OFFSET, conn, "0:5:1", "52");
	ASK(FIELD_BYTE_SIZE, conn, "0:5:1", "12");
	ASK(FIELD_BYTE_SIZE, conn, "0:5", "24");
	env_close(&e);
}

TEST(core_bitfields)
{
	struct env e;

	env_open(&e);
	/* host's mode: bits 238..241, in the unit of 4 bytes at 28 */
	ASK(FIELD_BYTE_OFFSET, conn, "0:3", "28");
	ASK(FIELD_BYTE_SIZE, conn, "0:3", "4");
	ASK(FIELD_LSHIFT_U64, conn, "0:3", "46");
	ASK(FIELD_RSHIFT_U64, conn, "0:3", "60");
	ASK(FIELD_SIGNED, conn, "0:3", "0");
	ASK(FIELD_EXISTS, conn, "0:3", "1");
	/* bits 4..64 lie in no unit of 8 bytes: neither here nor there */
	CHECK_HAS(ask(&e, CORE_FIELD_BYTE_OFFSET, e.wide_bits, "0:0"), "no such value");
	/* host's s: bits 70..76 */
	ASK(FIELD_BYTE_OFFSET, wide_bits, "0:1", "8");
	ASK(FIELD_LSHIFT_U64, wide_bits, "0:1", "51");
	ASK(FIELD_RSHIFT_U64, wide_bits, "0:1", "57");
	ASK(FIELD_SIGNED, wide_bits, "0:1", "1");
	env_close(&e);
}

TEST(core_types)
{
	struct env e;
	char id[20];

	env_open(&e);
	snprintf(id, sizeof(id), "%u", e.conn);
	ASK(TYPE_ID_LOCAL, conn, "0", id);
	snprintf(id, sizeof(id), "%u", btf_find(e.host, "conn", BTF_STRUCT));
	ASK(TYPE_ID_TARGET, conn, "0", id);
	ASK(TYPE_ID_TARGET, none, "0", "0");
	ASK(TYPE_EXISTS, conn, "0", "1");
	ASK(TYPE_EXISTS, conn_t, "0", "1");
	ASK(TYPE_EXISTS, flavour, "0", "1");
	ASK(TYPE_EXISTS, none, "0", "0");
	ASK(TYPE_EXISTS, i32, "0", "1");
	ASK(TYPE_EXISTS, fwd, "0", "0");
	ASK(TYPE_SIZE, conn, "0", "88");
	ASK(TYPE_SIZE, none, "0", "0");
	ASK(TYPE_MATCHES, addr, "0", "1");
	ASK(TYPE_MATCHES, conn, "0", "0"); /* no `gone` there */
	ASK(TYPE_MATCHES, state, "0", "0"); /* no GONE there */
	ASK(TYPE_MATCHES, wide, "0", "1");
	env_close(&e);
}

TEST(core_enumerators)
{
	struct env e;

	env_open(&e);
	ASK(ENUMVAL_VALUE, state, "1", "7");
	ASK(ENUMVAL_EXISTS, state, "1", "1");
	ASK(ENUMVAL_EXISTS, state, "2", "0");
	ASK(ENUMVAL_VALUE, state, "2", "poison");
	ASK(ENUMVAL_VALUE, wide, "0", "-9223372036854775801");
	env_close(&e);
}

#define REFUSED(kind, type, path, words)                                                 \
	CHECK_HAS(ask(&e, CORE_##kind, e.type, path), words)

TEST(core_malformed)
{
	struct env e;

	env_open(&e);
	REFUSED(FIELD_EXISTS, conn, "", "the access string is malformed");
	REFUSED(FIELD_EXISTS, conn, ":", "malformed");
	REFUSED(FIELD_EXISTS, conn, "0:", "malformed");
	REFUSED(FIELD_EXISTS, conn, "0 :1", "malformed");
	REFUSED(FIELD_EXISTS, conn, "-1", "malformed");
	REFUSED(FIELD_EXISTS, conn, "4294967296", "malformed");
	REFUSED(FIELD_EXISTS, conn, "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:"
		"0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0",
		"malformed");
	REFUSED(FIELD_EXISTS, conn, "0:9", "does not fit the type");
	REFUSED(FIELD_EXISTS, conn, "0:0:0", "does not fit");
	REFUSED(FIELD_EXISTS, conn, "0:5:2:0", "does not fit");
	REFUSED(FIELD_EXISTS, conn, "4294967295", "does not fit");
	REFUSED(FIELD_EXISTS, fwd, "0", "does not fit");
	REFUSED(TYPE_EXISTS, conn, "1", "does not fit");
	REFUSED(TYPE_EXISTS, conn, "0:0", "does not fit");
	REFUSED(ENUMVAL_VALUE, state, "3", "does not fit");
	REFUSED(ENUMVAL_VALUE, conn, "0", "does not fit");
	REFUSED(FIELD_EXISTS, anon, "0:0", "no name to look for");
	REFUSED(FIELD_LSHIFT_U64, conn, "0:5", "no such value");
	REFUSED(TYPE_SIZE, fwd, "0", "no such value");
	CHECK_HAS(ask(&e, NR_CORE_KINDS, e.conn, "0"), "unknown kind of relocation");
	CHECK_HAS(ask(&e, CORE_TYPE_EXISTS, 9999, "0"), "type id is out of range");
	CHECK_HAS(ask(&e, CORE_TYPE_EXISTS, 0, "0"), "type id is out of range");
	env_close(&e);
}

TEST(core_spec_text)
{
	struct arena *arena = arena_new();
	struct core_relo relo;
	struct env e;

	env_open(&e);
#define TEXT(kind, type, path, want)                                                     \
	relo = relo_of(&e, CORE_##kind, e.type, path);                                   \
	CHECK_STR(core_spec_str(arena, e.local, &relo), want)
	TEXT(FIELD_BYTE_OFFSET, conn, "0:2:1",
	     "<byte_off> struct conn.addr.port (0:2:1 @ offset 20)");
	TEXT(FIELD_EXISTS, conn, "1:4", "<field_exists> struct conn[1].prio (1:4 @ offset 112.3)");
	TEXT(FIELD_BYTE_SIZE, conn, "0:5:1:2",
	     "<byte_sz> struct conn.grid[1][2] (0:5:1:2 @ offset 56)");
	TEXT(ENUMVAL_VALUE, state, "1", "<enumval_value> enum state::BUSY");
	TEXT(TYPE_SIZE, conn_t, "0", "<type_size> conn_t");
	TEXT(FIELD_EXISTS, conn, "0:99",
	     "<field_exists> type 16 (0:99): the access string does not fit the type");
#undef TEXT
	env_close(&e);
	arena_free(arena);
}

/* --- several host objects --- */

static u32 build_one(struct bb *b, const char *name, u32 bit)
{
	return bb_struct(b, name, 16, {"x", bb_int(b, "int", 4), bit});
}

/* Where "conn.x" is: the base says @base (-1: no conn), two plugins say @p and @q. */
static const char *ask_three(s32 base, s32 p, s32 q, u32 kind)
{
	static char text[600];
	s32 bits[3] = {base, p, q};
	struct core_relo relo = {.kind = kind};
	struct btf *btf[3], *local;
	const struct btf *hosts[3];
	struct core_result res;
	struct log log = {0};
	struct bb b[3], l;

	bb_init(&l, NULL);
	relo.type_id = build_one(&l, "conn___v1", 0);
	relo.access_str_off = bb_str(&l, kind == CORE_TYPE_ID_TARGET ? "0" : "0:0");
	local = bb_open(&l, "prog");
	for (u32 i = 0; i < 3; i++) {
		bb_init(&b[i], i ? btf[0] : NULL);
		build_one(&b[i], bits[i] < 0 ? "other" : "conn", bits[i] < 0 ? 0 : (u32)bits[i]);
		hosts[i] = btf[i] = bb_open(&b[i], "host");
	}
	if (core_resolve(&log, local, &relo, hosts, 3, &res))
		snprintf(text, sizeof(text), "%s", log.error);
	else
		snprintf(text, sizeof(text), "%s%llu%s", res.poison ? "poison " : "",
			 (unsigned long long)res.value,
			 res.btf == btf[1] ? " of p" : res.btf == btf[2] ? " of q" : "");
	log_free(&log);
	for (u32 i = 3; i--;) {
		btf_close(btf[i]);
		bb_free(&b[i]);
	}
	btf_close(local);
	bb_free(&l);
	return text;
}

TEST(core_many_hosts)
{
	CHECK_STR(ask_three(32, -1, -1, CORE_FIELD_BYTE_OFFSET), "4");
	CHECK_STR(ask_three(32, 64, 96, CORE_FIELD_BYTE_OFFSET), "4"); /* the base is enough */
	CHECK_STR(ask_three(-1, 64, 64, CORE_FIELD_BYTE_OFFSET), "8");
	CHECK_HAS(ask_three(-1, 64, 96, CORE_FIELD_BYTE_OFFSET), "ambiguous");
	CHECK_STR(ask_three(-1, 64, 96, CORE_FIELD_EXISTS), "1");
	CHECK_STR(ask_three(-1, -1, -1, CORE_FIELD_BYTE_OFFSET), "poison 0");
	CHECK_STR(ask_three(-1, -1, 0, CORE_TYPE_ID_TARGET), "4 of q");
	CHECK_HAS(ask_three(-1, 0, 0, CORE_TYPE_ID_TARGET), "ambiguous");
}

/* --- instructions --- */

static const char *show(const struct insn *insn, u32 n)
{
	static char text[200];
	int len = isa_disasm(insn, n, NULL, text, sizeof(text));

	CHECK(len > 0 && len < (int)sizeof(text));
	return text;
}

static const char *patch(struct insn *insn, u32 n, u32 kind, struct core_result res)
{
	static char text[600];
	struct core_relo relo = {.kind = kind};
	struct log log = {0};
	int err = core_patch(&log, "prog: insn 3", insn, n, &relo, &res);

	snprintf(text, sizeof(text), "%s", err ? log.error : show(insn, n));
	log_free(&log);
	CHECK(!err || err == -EINVAL);
	return text;
}

#define PATCH(kind, code_, off_, imm_, result, want)                                     \
	CHECK_HAS(patch(&(struct insn){.code = code_, .dst = 1, .off = off_, .imm = imm_}, 1,   \
			CORE_##kind, (struct core_result)result), want)
#define RES(here, there) {.local = here, .local_known = true, .value = there}
#define MEM(here, there, size_here, size_there, ...)                                     \
	{.local = here, .local_known = true, .value = there, .mem_local = size_here,      \
	 .mem_size = size_there, __VA_ARGS__}

TEST(core_patches_immediates)
{
	PATCH(TYPE_SIZE, 0xb7, 0, 16, RES(16, 24), "r1 = 24");
	PATCH(TYPE_SIZE, 0xb4, 0, 16, RES(16, 24), "w1 = 24");
	PATCH(FIELD_BYTE_OFFSET, 0x07, 0, 16, RES(16, 24), "r1 += 24");
	PATCH(TYPE_SIZE, 0xb7, 0, 17, RES(16, 24),
	      "prog: insn 3: CO-RE relocation: the instruction holds 17, where the program's "
	      "types say 16");
	PATCH(TYPE_SIZE, 0xbf, 0, 16, RES(16, 24), "no place for a value");
	PATCH(ENUMVAL_VALUE, 0xb7, 0, 1, RES(1, 0x80000000ull), "2147483648 does not fit");
	PATCH(ENUMVAL_VALUE, 0xb7, 0, -1, RES(~0ull, -5ull), "r1 = -5");
	PATCH(ENUMVAL_VALUE, 0xb4, 0, 1, RES(1, 0x80000000ull), "w1 = ");
	PATCH(TYPE_ID_TARGET, 0xb7, 0, 5, {.value = 77}, "r1 = 77");
	PATCH(TYPE_SIZE, 0x95, 0, 0, RES(0, 1), "instruction 0x95 has no place");
	CHECK_HAS(patch(NULL, 0, CORE_TYPE_SIZE, (struct core_result){0}), "no instruction there");
}

TEST(core_patches_wide_immediates)
{
	struct insn insn[2] = {{.code = 0x18, .dst = 2, .imm = 5}, {.imm = 0}};
	struct core_result res = {.local = 5, .local_known = true, .value = 0x100000002ull};

	CHECK_HAS(patch(insn, 2, CORE_ENUMVAL_VALUE, res), "r2 = 0x100000002");
	CHECK_HAS(patch(insn, 1, CORE_ENUMVAL_VALUE, res), "cut off");
	CHECK_HAS(patch(insn, 2, CORE_ENUMVAL_VALUE, res), "holds 4294967298");
	insn[0].src = 1;
	CHECK_HAS(patch(insn, 2, CORE_ENUMVAL_VALUE, res), "not a plain number");
	res.poison = true;
	patch(insn, 2, CORE_ENUMVAL_VALUE, res);
	CHECK_EQ(insn[0].code, 0x85);
	CHECK_EQ(insn[1].code, 0x85);
	CHECK_EQ(insn[1].imm, 195896080);
	CHECK_EQ(insn[0].dst + insn[0].src + insn[0].off, 0);
}

TEST(core_patches_loads)
{
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 12, 4, 4), "r1 = *(u32 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 12, 4, 8), "r1 = *(u64 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x79, 4, 0, MEM(4, 12, 8, 2), "r1 = *(u16 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x63, 4, 0, MEM(4, 12, 4, 1), "*(u8 *)(r1 +12) = r0");
	PATCH(FIELD_BYTE_OFFSET, 0x62, 4, 9, MEM(4, 12, 4, 8), "*(u64 *)(r1 +12) = 9");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 5, 0, MEM(4, 12, 4, 4), "holds 5");
	PATCH(FIELD_BYTE_OFFSET, 0x71, 4, 0, MEM(4, 12, 4, 8),
	      "accesses 1 bytes of a field of 4, which has 8 in the host");
	PATCH(FIELD_BYTE_OFFSET, 0x71, 4, 0, MEM(4, 12, 4, 4), "r1 = *(u8 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 40000, 4, 4), "offset 40000 is too large");
	/* A size as an offset: what is there has no width to go by. */
	PATCH(TYPE_SIZE, 0x61, 4, 0, MEM(4, 8, 4, 2), "r1 = *(u32 *)(r0 +8)");
	PATCH(FIELD_BYTE_OFFSET, 0x21, 4, 0, MEM(4, 12, 4, 4), "not a load or store");
	PATCH(FIELD_BYTE_OFFSET, 0xc3, 4, 0, MEM(4, 12, 4, 4), "lock *(u32 *)(r1 +12) += r0");
	PATCH(FIELD_BYTE_OFFSET, 0xc3, 4, 0, MEM(4, 12, 4, 8), "call unknown#195896080");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, {.poison = true}, "call unknown#195896080");
}

TEST(core_patches_signed_loads)
{
	PATCH(FIELD_BYTE_OFFSET, 0x81, 4, 0, MEM(4, 12, 4, 2, .mem_signed = true),
	      "r1 = *(s16 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x81, 4, 0, MEM(4, 12, 4, 8, .mem_signed = true),
	      "r1 = *(u64 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x79, 4, 0, MEM(4, 12, 8, 4, .mem_signed = true),
	      "r1 = *(s32 *)(r0 +12)");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 12, 4, 8, .mem_signed = true),
	      "call unknown#195896080");
	PATCH(FIELD_BYTE_OFFSET, 0x63, 4, 0, MEM(4, 12, 4, 8, .mem_signed = true),
	      "call unknown#195896080");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 12, 4, 8, .mem_exact = true),
	      "call unknown#195896080");
	PATCH(FIELD_BYTE_OFFSET, 0x61, 4, 0, MEM(4, 12, 4, 12), "call unknown#195896080");
}

/* The width follows from the types. */
TEST(core_load_widths)
{
	const struct btf *hosts[1];
	struct core_result res;
	struct core_relo relo;
	struct env e;

	env_open(&e);
	hosts[0] = e.host;
	relo = relo_of(&e, CORE_FIELD_BYTE_OFFSET, e.conn, "0:6:0");
	CHECK_EQ(core_resolve(NULL, e.local, &relo, hosts, 1, &res), 0);
	CHECK_EQ(res.mem_local, 4);
	CHECK_EQ(res.mem_size, 8);
	CHECK(!res.mem_signed && !res.mem_exact);
	relo = relo_of(&e, CORE_FIELD_BYTE_OFFSET, e.conn, "0:0");
	CHECK_EQ(core_resolve(NULL, e.local, &relo, hosts, 1, &res), 0);
	CHECK(res.mem_signed && !res.mem_exact);
	CHECK_EQ(res.local, 0);
	CHECK(res.local_known);
	env_close(&e);
}

TEST(core_is_bounded)
{
	struct core_relo relo = {.kind = CORE_TYPE_MATCHES};
	const struct btf *hosts[1];
	struct core_result res;
	struct bb b;
	struct btf *btf;
	u32 id;

	bb_init(&b, NULL);
	id = bb_struct(&b, "s", 8, {"x", bb_int(&b, "int", 4), 0});
	for (u32 i = 0; i < 60; i++)
		id = bb_struct(&b, "s", 16, {"a", id, 0}, {"b", id, 0}, {"c", id, 0});
	relo.type_id = id;
	relo.access_str_off = bb_str(&b, "0");
	btf = bb_open(&b, "s");
	hosts[0] = btf;
	CHECK_EQ(core_resolve(NULL, btf, &relo, hosts, 1, &res), 0);
	btf_close(btf);
	bb_free(&b);
}
