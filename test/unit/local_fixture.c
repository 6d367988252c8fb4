/* SPDX-License-Identifier: MIT
 *
 * local_fixture.c: see local_fixture.h.
 */
#include "local_fixture.h"
#include "base/arena.h"
#include "btf_build.h"

static struct {
	struct btf *btf;
	u32 node, plain, value;
} types;

/* Made once for all tests: BTF cannot be told from other BTF but by its address. */
static void make_types(void)
{
	static struct bb b;
	u32 u, lock, head, root, ln, rn, refs, thing;

	if (types.btf)
		return;
	bb_init(&b, NULL);
	u = bb_int(&b, "unsigned long", 8);
	lock = bb_struct(&b, "bpf_spin_lock", 4);
	head = bb_struct(&b, "bpf_list_head", 16);
	root = bb_struct(&b, "bpf_rb_root", 16);
	ln = bb_struct(&b, "bpf_list_node", 24);
	rn = bb_struct(&b, "bpf_rb_node", 32);
	refs = bb_struct(&b, "bpf_refcount", 4);
	thing = bb_fwd(&b, "thing", false);
	types.plain = bb_struct(&b, "plain", 16, {"a", u, 0}, {"b", u, 64});
	types.node = bb_struct(&b, "node", sizeof(struct node), {"key", u, 0}, {"ln", ln, 64},
			       {"rn", rn, 256}, {"refs", refs, 512},
			       {"thing", bb_tagged_ptr(&b, "kptr", thing), 576},
			       {"plain", bb_tagged_ptr(&b, "kptr", types.plain), 640});
	types.value = bb_struct(
		&b, "lvalue", sizeof(struct lvalue), {"lock", lock, 0}, {"head", head, 64},
		{"root", root, 192}, {"one", bb_tagged_ptr(&b, "kptr", types.node), 320},
		{"percpu", bb_tagged_ptr(&b, "percpu_kptr", types.plain), 384});
	bb_decl_tag(&b, "contains:node:ln", types.value, 1);
	bb_decl_tag(&b, "contains:node:rn", types.value, 2);
	types.btf = bb_open(&b, "program");
}

static struct local_type *type_of(struct locals *l, u32 id)
{
	struct local_type *type = NULL;
	struct log log = {0};

	if (local_type_get(&log, l->host, types.btf, id, &type))
		test_fail(__FILE__, __LINE__, "%s", log.error);
	log_free(&log);
	return type;
}

void locals_open(struct locals *l)
{
	struct record_opts opts;
	struct record *rec = NULL;
	struct log log = {0};

	make_types();
	memset(l, 0, sizeof(*l));
	l->host = fixture_host(RCU_DEFERRED_PUT);
	CHECK(vec_push(&l->host->abi.btfs, fixture_storable(l->host)->btf));
	CHECK(vec_push(&l->host->abi.storables,
		       (struct abi_storable){fixture_storable(l->host)->btf, 1, true,
					     RCU_DEFERRED_PUT}));
	l->image.abi = &l->host->abi;
	l->image.btf = types.btf;
	l->image.arena = arena_new();
	l->set = local_types_open(l->host, &l->image);
	CHECK(l->image.arena && l->set);
	l->node = type_of(l, types.node);
	l->plain = type_of(l, types.plain);
	image_record_opts(&l->image, &opts);
	if (record_parse(l->image.arena, &log, "value", types.btf, types.value, &opts, &rec) ||
	    fields_create(&log, l->host, "value", rec, &l->value))
		test_fail(__FILE__, __LINE__, "%s", log.error);
	l->value_record = rec;
	log_free(&log);
}

void locals_close(struct locals *l)
{
	defer_drain(l->host);
	CHECK_EQ(local_type_live(l->node), 0);
	CHECK_EQ(local_type_live(l->plain), 0);
	fields_free(l->value);
	local_types_close(l->set);
	arena_free(l->image.arena);
	vec_free(&l->host->abi.btfs);
	vec_free(&l->host->abi.storables);
	fixture_free(l->host);
}

struct node *node_new(const struct locals *l, u64 key)
{
	struct node *n = local_new(l->node);

	CHECK(n);
	n->key = key;
	return n;
}
