/* SPDX-License-Identifier: MIT
 *
 * rules_host.c: see rules_host.h.
 */
#include "unit/rules_host.h"

/* ---- types and functions ---- */

static void build_types(struct rules_host *h)
{
	struct bb *b = &h->host_bb;
	u32 lng, i32, name, up, left, either;

	bb_init(b, NULL);
	lng = bb_int(b, "long", 8);
	i32 = bb_int(b, "int", 4);
	name = bb_array(b, bb_int(b, "char", 1), 16);
	h->m = bb_struct(b, "M", 16, {"bits", bb_array(b, lng, 2), 0});
	h->x = bb_struct(b, "X", 8, {"a", lng, 0});
	up = bb_ptr(b, h->x);
	/* Pointers to T come first: its id is known. */
	left = bb_ptr(b, b->next_id + 2);
	either = bb_union(b, "", 8, {"left", left, 0}, {"number", lng, 0});
	h->t = bb_struct(b, "T", 88, {"mask", h->m, 0}, {"pid", i32, 128}, {"refs", i32, 160},
			 {"leader", left, 192}, {"parent", left, 256}, {"peer", left, 320},
			 {"up", up, 384}, {"", either, 448}, {"name", name, 512},
			 {"boss", left, 640});
	CHECK_EQ(h->t, either + 1);
	h->u = bb_struct(b, "U", 8, {"id", i32, 0}, {"refs", i32, 32});
	h->w = bb_struct(b, "W", 16, {"a", lng, 0}, {"b", lng, 64});
	h->b = bb_struct(b, "B", 96, {"t", h->t, 0}, {"extra", lng, 704});
}

struct func {
	const char *name;
	u32 flags, special;
	const char *ret, *args[3]; /* "T" pointer, "TT" double, "n" int, "b" bytes, "" void */
	const char *names[3];
};

static const struct func funcs[] = {
	{"t_find", KF_ACQUIRE | KF_RET_NULL, 0, "T", {"n"}, {"id"}},
	{"t_get", KF_ACQUIRE | KF_RCU | KF_RET_NULL, 0, "T", {"T"}, {"t"}},
	{"t_put", KF_RELEASE, 0, "", {"T"}, {"t"}},
	{"t_own", KF_ACQUIRE | KF_TRUSTED_ARGS, 0, "T", {"T"}, {"t"}},
	{"t_use", KF_TRUSTED_ARGS, 0, "n", {"T"}, {"t"}},
	{"t_any", KF_ANY_ARGS, 0, "n", {"T"}, {"t"}},
	{"t_maybe", 0, 0, "n", {"T"}, {"t__nullable"}},
	{"t_peek", 0, 0, "T", {"n"}, {"id"}},
	{"m_count", KF_RCU, 0, "n", {"M"}, {"m"}},
	{"t_kget", KF_ACQUIRE | KF_RET_NULL | KF_KPTR_GET, 0, "T", {"TT"}, {"slot"}},
	{"b_kget", KF_ACQUIRE | KF_RET_NULL | KF_KPTR_GET, 0, "B", {"BB"}, {"slot"}},
	{"t_badget", KF_ACQUIRE | KF_RET_NULL | KF_KPTR_GET, 0, "T", {"T"}, {"slot"}},
	{"t_nap", KF_SLEEPABLE | KF_TRUSTED_ARGS, 0, "n", {"T"}, {"t"}},
	{"u_find", KF_ACQUIRE | KF_RET_NULL, 0, "U", {"n"}, {"id"}},
	{"u_put", KF_RELEASE, 0, "", {"U"}, {"u"}},
	{"u_rcu", KF_RCU, 0, "n", {"U"}, {"u"}},
	{"b_use", 0, 0, "n", {"B"}, {"b"}},
	{"x_use", 0, 0, "n", {"X"}, {"x"}},
	{"w_use", 0, 0, "n", {"W"}, {"w"}},
	{"mem_use", 0, 0, "n", {"v", "n"}, {"buf", "buf__sz"}},
	{"const_use", 0, 0, "n", {"n"}, {"flag__k"}},
	{"str_use", 0, 0, "n", {"v"}, {"s__str"}},
	{"xdp_only", 0, 0, "n", {"n"}, {"n"}},
	{"bpf_rcu_read_lock", 0, KS_RCU_READ_LOCK, "", {0}, {0}},
	{"bpf_rcu_read_unlock", 0, KS_RCU_READ_UNLOCK, "", {0}, {0}},
	{"bpf_obj_new_impl", KF_ACQUIRE | KF_RET_NULL, KS_OBJ_NEW, "v", {"n"}, {"id__k"}},
};

static u32 struct_of(struct rules_host *h, char c)
{
	return c == 'T' ? h->t : c == 'U' ? h->u : c == 'M' ? h->m : c == 'B' ? h->b
	       : c == 'X' ? h->x : h->w;
}

static u32 param_type(struct rules_host *h, u32 i32, const char *what)
{
	struct bb *b = &h->host_bb;

	if (!what || !what[0])
		return 0;
	if (what[0] == 'n')
		return i32;
	if (what[0] == 'v')
		return bb_ptr(b, 0);
	return what[1] ? bb_ptr(b, bb_ptr(b, struct_of(h, what[0])))
		       : bb_ptr(b, struct_of(h, what[0]));
}

static void build_funcs(struct rules_host *h, struct abi_kfunc *out)
{
	struct bb *b = &h->host_bb;
	u32 i32 = bb_int(b, "int", 4);

	for (u32 i = 0; i < ARRAY_SIZE(funcs); i++) {
		const struct func *f = &funcs[i];
		struct bb_member params[3];
		u32 n = 0, ret = param_type(h, i32, f->ret);

		for (; n < 3 && f->args[n]; n++)
			params[n] = (struct bb_member){f->names[n],
						       param_type(h, i32, f->args[n])};
		out[i] = (struct abi_kfunc){.name = f->name, .flags = f->flags,
					    .special = f->special, .prog_types = ~0ull};
		out[i].proto = bb_proto_of(b, ret, n, params);
		out[i].func = bb_func(b, f->name, out[i].proto);
		if (!strcmp(f->name, "xdp_only"))
			out[i].prog_types = BIT64(XDP);
	}
}

/* ---- the contract ---- */

static struct abi_ctx_field xdp_fields[] = {
	{.name = "data", .off = 0, .size = 4, .reads = 4, .real_size = 8, .kind = CTX_PACKET},
	{.name = "data_end", .off = 4, .size = 4, .reads = 4, .real_size = 8,
	 .kind = CTX_PACKET_END},
	{.name = "mark", .off = 8, .size = 4, .real_size = 4, .reads = 7, .writes = 4},
	{.name = "rx", .off = 12, .size = 4, .reads = 4, .real_size = 4},
};

/* (T *, int, void *, void *, T **, W) -> T *: what args[] says of each, and its result. */
static void add_kernel_type(struct rules_host *h, u32 proto)
{
	struct abi_prog_type k = {
		.name = "tracing", .section = "fexit", .kind = PROG_ARGS, .bit = HOOK_K,
		.btf = h->btf, .proto = proto, .ctx_size = 64, .target = "f", .ret_arg = true,
		.args = {CTX_ARG_NULL, 0, CTX_ARG_BUF | CTX_ARG_NULL | CTX_ARG_RDONLY,
			 CTX_ARG_BUF},
		.no_ret = true, .barred = {{HELPER_d_path, "not here"}},
	};

	CHECK(vec_push(&h->abi.prog_types, k));
}

static void add_types(struct rules_host *h, u32 proto)
{
	struct abi_prog_type p = {.name = "hook/p", .section = "hook/p", .kind = PROG_ARGS,
				  .btf = h->btf, .proto = proto, .ctx_size = 16};
	struct abi_prog_type q = p;
	struct abi_prog_type xdp = {.name = "xdp", .section = "xdp", .kind = PROG_CTX,
				    .ctx_name = "xdp_md", .ctx_size = 16,
				    .bit = XDP};

	q.name = q.section = "hook/q";
	q.may_sleep = true;
	q.bit = 1;
	xdp.fields = xdp_fields;
	xdp.nfields = ARRAY_SIZE(xdp_fields);
	CHECK(vec_push(&h->abi.prog_types, p));
	CHECK(vec_push(&h->abi.prog_types, q));
	CHECK(vec_push(&h->abi.prog_types, xdp));
}

static void add_member(struct rules_host *h, u32 off, enum member_class class_)
{
	CHECK(vec_push(&h->abi.members, (struct abi_member){h->btf, h->t, off, class_}));
}

/* All but bpf_get_current_task(). */
static bool helper_there(const struct abi *abi, const struct abi_prog_type *type, u32 id)
{
	return id != HELPER_get_current_task;
}

static void build_abi(struct rules_host *h)
{
	struct abi_kfunc kfuncs[ARRAY_SIZE(funcs)];
	struct bb *b = &h->host_bb;
	u32 proto, behind;

	build_types(h);
	build_funcs(h, kfuncs);
	behind = bb_proto(b, bb_ptr(b, h->t), {"t", bb_ptr(b, h->t)}, {"n", bb_int(b, "int", 4)},
			  {"key", bb_ptr(b, 0)}, {"value", bb_ptr(b, 0)},
			  {"list", bb_ptr(b, bb_ptr(b, h->t))}, {"w", h->w});
	proto = bb_proto(b, 0, {"t", bb_ptr(b, h->t)}, {"n", bb_int(b, "int", 4)},
			 {"w__nullable", bb_ptr(b, h->w)});
	h->btf = bb_open(b, "host");
	h->abi.helper_there = helper_there;
	CHECK(vec_push(&h->abi.btfs, h->btf));
	for (u32 i = 0; i < ARRAY_SIZE(funcs); i++) {
		kfuncs[i].btf = h->btf;
		CHECK(vec_push(&h->abi.kfuncs, kfuncs[i]));
		CHECK(strmap_set(&h->abi.kfunc_names, kfuncs[i].name, i));
	}
	CHECK(vec_push(&h->abi.storables,
		       (struct abi_storable){h->btf, h->t, true, RCU_DEFERRED_PUT}));
	CHECK(vec_push(&h->abi.storables,
		       (struct abi_storable){h->btf, h->u, true, RCU_NONE}));
	add_member(h, 24, MEMBER_RCU);
	add_member(h, 32, MEMBER_RCU);
	add_member(h, 48, MEMBER_USER);
	add_member(h, 80, MEMBER_TRUSTED);
	add_types(h, proto);
	add_kernel_type(h, behind);
}

/* ---- maps ---- */

static struct record *new_record(struct rules_host *h, const struct field *f, u32 n)
{
	struct record *rec = arena_alloc(h->arena, sizeof(*rec) + n * sizeof(*f));

	CHECK(rec != NULL);
	rec->n = n;
	memcpy(rec->fields, f, n * sizeof(*f));
	return rec;
}

static void build_maps(struct rules_host *h)
{
	static const char rodata[16] = {'1', '2', '3', '4', '5', '6', '7', 0, 42};
	const struct btf *hb = h->btf, *pb = h->prog_btf;
	const struct field v[] = {
		{FIELD_UNREF, 8, 8, hb, h->t},	  {FIELD_REF, 16, 8, hb, h->t},
		{FIELD_REF, 24, 8, hb, h->u},	  {FIELD_REF, 32, 8, pb, h->l, true},
		{FIELD_PERCPU, 40, 8, pb, h->l, true}, {FIELD_USER, 48, 8, hb, h->x},
		{FIELD_UPTR, 56, 8, pb, h->l, true}, {FIELD_UNREF, 64, 8, hb, h->m},
		{FIELD_REF, 72, 8, hb, h->t},	  {FIELD_REF, 80, 8, hb, h->t},
		{FIELD_REF, 88, 8, hb, h->t},
	};
	const struct field vl[] = {{FIELD_LOCK, 0, 4},
				   {FIELD_REF, 8, 8, hb, h->t},
				   {FIELD_UNREF, 16, 8, hb, h->t}};
	const struct image_map maps[] = {
		{.name = "A", .type = MAP_ARRAY, .key_size = 4, .value_size = 104,
		 .max_entries = 4, .record = new_record(h, v, ARRAY_SIZE(v)), .inner = -1},
		{.name = "B", .type = MAP_HASH, .key_size = 4, .value_size = 104,
		 .max_entries = 4, .record = new_record(h, v, ARRAY_SIZE(v)), .inner = -1},
		{.name = "C", .type = MAP_ARRAY, .key_size = 4, .value_size = 32,
		 .max_entries = 4, .record = new_record(h, vl, ARRAY_SIZE(vl)), .inner = -1},
		{.name = "ro", .kind = IMAP_RODATA, .type = MAP_ARRAY, .key_size = 4,
		 .value_size = 16, .max_entries = 1, .flags = MAPF_RDONLY_PROG,
		 .data = rodata, .frozen = true, .inner = -1},
		{.name = "N", .type = MAP_HASH, .key_size = 4, .value_size = 8,
		 .max_entries = 4, .inner = -1},
		{.name = "PA", .type = MAP_PROG_ARRAY, .key_size = 4, .value_size = 4,
		 .max_entries = 4, .inner = -1},
		{.name = "M", .type = MAP_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4,
		 .max_entries = 4, .inner = 1},
	};

	h->image.maps = arena_memdup(h->arena, maps, sizeof(maps));
	CHECK(h->image.maps != NULL);
	h->image.nmaps = ARRAY_SIZE(maps);
}

void rules_host_init(struct rules_host *h)
{
	u32 lng;

	*h = (struct rules_host){.arena = arena_new()};
	CHECK(h->arena != NULL);
	build_abi(h);
	bb_init(&h->prog_bb, NULL);
	lng = bb_int(&h->prog_bb, "long", 8);
	h->l = bb_struct(&h->prog_bb, "L", 16, {"a", lng, 0}, {"b", lng, 64});
	h->prog_btf = bb_open(&h->prog_bb, "prog");
	build_maps(h);
	h->image.arena = h->arena;
	h->image.name = "case";
	h->image.abi = &h->abi;
	h->image.btf = h->prog_btf;
	h->image.license = arena_strdup(h->arena, "MIT");
	h->image.nksyms = h->abi.kfuncs.n;
	h->image.ksyms = arena_array(h->arena, h->image.nksyms, sizeof(struct image_ksym));
	CHECK(h->image.ksyms != NULL);
	for (u32 i = 0; i < h->image.nksyms; i++)
		h->image.ksyms[i] = (struct image_ksym){
			.name = h->abi.kfuncs.v[i].name, .is_func = true, .found = true,
			.kfunc = &h->abi.kfuncs.v[i], .btf = h->abi.kfuncs.v[i].btf,
			.type = h->abi.kfuncs.v[i].proto};
}

void rules_host_free(struct rules_host *h)
{
	for (u32 i = 0; i < h->abi.prog_types.n; i++)
		h->abi.prog_types.v[i].fields = NULL; /* static here */
	abi_free(&h->abi);
	btf_close(h->prog_btf);
	btf_close(h->btf);
	bb_free(&h->prog_bb);
	bb_free(&h->host_bb);
	arena_free(h->arena);
}

/* ---- programs ---- */

/* `@name` becomes `kfunc#n`. */
static const char *with_calls(struct rules_host *h, const char *text)
{
	size_t cap = strlen(text) * 3 + 64, n = 0;
	char *out = arena_alloc(h->arena, cap);

	CHECK(out != NULL);
	while (*text) {
		size_t len = 0;
		u32 i;

		if (*text != '@') {
			out[n++] = *text++;
			continue;
		}
		text++;
		while (text[len] && text[len] != '\n')
			len++;
		if (!strmap_get_n(&h->abi.kfunc_names, text, len, &i))
			test_fail(__FILE__, __LINE__, "no function %.*s", (int)len, text);
		n += (size_t)snprintf(out + n, cap - n, "kfunc#%u", i);
		text += len;
	}
	return out;
}

static struct insn *assemble(struct rules_host *h, const char *text, u32 *n)
{
	struct log log = {0};
	struct insn *insns;

	if (isa_assemble(h->arena, &log, text, &insns, n)) {
		fprintf(stderr, "%s\n%s\n", log.error, text);
		test_fail(__FILE__, __LINE__, "cannot assemble");
	}
	log_free(&log);
	return insns;
}

static struct image_prog *build_prog(struct rules_host *h, const struct rules_case *c)
{
	struct image_prog *prog = arena_new_of(h->arena, struct image_prog);
	struct image_subprog *subs = arena_array(h->arena, 2, sizeof(*subs));
	const char *main_text = with_calls(h, c->text), *sub;
	u32 nsub = 0;

	CHECK(prog && subs);
	if (c->sub) {
		sub = arena_printf(h->arena, "sub: %s", with_calls(h, c->sub));
		assemble(h, sub, &nsub);
		main_text = arena_printf(h->arena, "%s%s", main_text, sub);
	}
	prog->name = prog->section = c->name;
	prog->type = &h->abi.prog_types.v[c->type];
	prog->sleepable = c->type == HOOK_Q;
	prog->insns = assemble(h, main_text, &prog->ninsns);
	subs[0] = (struct image_subprog){.name = "main", .end = prog->ninsns - nsub};
	subs[1] = (struct image_subprog){.name = "sub", .start = prog->ninsns - nsub,
					 .end = prog->ninsns};
	prog->subprogs = subs;
	prog->nsubprogs = c->sub ? 2 : 1;
	return prog;
}

static bool check_case(struct rules_host *h, const struct rules_case *c)
{
	struct verify_opts opts = {.log_level = LOG_INSN};
	struct rejection why = {0};
	struct proof *proof = NULL;
	struct log log = {.level = LOG_INSN};
	bool ok;
	int err;

	err = verify(h->arena, &log, &h->image, build_prog(h, c), &opts, &proof, &why, NULL);
	ok = !err == (c->rule == RULE_NONE) && why.rule == c->rule &&
	     (!c->phrase || strstr(log_text(&log), c->phrase));
	if (!ok)
		fprintf(stderr, "--- %s: %d %s, want %s %s\n%s\n", c->name, err,
			why.rule ? rule_info(why.rule)->id : "accepted",
			c->rule ? rule_info(c->rule)->id : "accepted",
			c->phrase ? c->phrase : "", log_text(&log));
	proof_free(proof);
	log_free(&log);
	return ok;
}

u32 rules_check(struct rules_host *h, const struct rules_case *cases, u32 n)
{
	u32 wrong = 0;

	for (u32 i = 0; i < n; i++)
		wrong += !check_case(h, &cases[i]);
	return wrong;
}
