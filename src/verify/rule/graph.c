/* SPDX-License-Identifier: MIT
 *
 * graph.c: lists and trees of objects (rule book G8-G12).
 *
 * Invariants: a container is used only while the lock of its own allocation is held. An
 * object that is put in is no longer the program's: what registers still know of it is
 * F_NONOWN, and dies when the lock is given back, because another thread may then take the
 * object out and drop it. What is taken out is the program's again.
 *
 * A list head or tree root says which struct it holds, and which member links it (A35).
 */
#include "verify/rule/kcall.h"

bool in_less_callback(const struct env *env)
{
	const struct state *state = env->cur;

	for (u32 i = 0; i < state->nframes; i++)
		if (state->frames[i]->callback == FRAME_CALLBACK &&
		    state->frames[i]->cb_kind == CB_RBTREE_LESS)
			return true;
	return false;
}

static enum field_kind node_of(enum field_kind root)
{
	return root == FIELD_LIST_HEAD ? FIELD_LIST_NODE : FIELD_RB_NODE;
}

/* ---- arguments ---- */

static int record_behind(struct env *env, u32 regno, const struct record **rec)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base == REG_MAP_VALUE && !(reg->flags & F_NULL)) {
		*rec = reg->map->record;
		return 0;
	}
	if (!reg_is(reg, REG_BTF, F_ALLOC) || !reg->ref)
		return reject(env, RULE_GRAPH_ROOT, regno - 1);
	TRY(check_btf_offset(env, regno, reg));
	return own_record(env, reg->btf, reg->type, rec);
}

static int field_at(struct env *env, u32 regno, const struct record *rec,
		    enum field_kind kind, const struct field **out)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;

	if (!scalar_is_const(reg->num))
		return reject(env, RULE_GRAPH_CONST_OFF, regno, field_kind_name(kind),
			      field_kind_name(kind));
	*out = off >= 0 && off <= UINT32_MAX ? record_at(rec, (u32)off) : NULL;
	if (!*out || (*out)->kind != kind)
		return reject(env, RULE_GRAPH_NOT_FOUND, field_kind_name(kind), off);
	return 0;
}

/* R1: a list head or tree root under its lock. */
static int root_arg(struct env *env, enum field_kind kind, const struct field **root)
{
	const struct record *rec = NULL;

	TRY(check_readable(env, R1));
	TRY(record_behind(env, R1, &rec));
	TRY(field_at(env, R1, rec, kind, root));
	return check_locked(env, R1, field_kind_name(kind));
}

/* R2 points to the member by which @root links its elements. */
static int check_node(struct env *env, const struct field *root)
{
	const struct reg *reg = cur_reg(env, R2);
	enum field_kind kind = node_of(root->kind);
	const char *name = field_kind_name(kind);
	const char *element = btf_type_name(root->btf, root->type);
	const struct record *rec;
	const struct field *node;

	TRY(check_btf_offset(env, R2, reg));
	TRY(own_record(env, reg->btf, reg->type, &rec));
	TRY(field_at(env, R2, rec, kind, &node));
	if (!btf_same_type(root->btf, root->type, reg->btf, reg->type))
		return reject(env, RULE_GRAPH_TYPE, field_kind_name(root->kind), name,
			      root->node_off, element, node->off,
			      btf_type_name(reg->btf, reg->type));
	if (node->off != root->node_off)
		return reject(env, RULE_GRAPH_NODE, node->off, name, root->node_off, element);
	return 0;
}

/* What may be NULL is at no offset from an object. */
static int check_not_modified(struct env *env, u32 regno)
{
	const struct reg *reg = cur_reg(env, regno);

	if (!(reg->flags & F_NULL) || !reg->off)
		return 0;
	return reject(env, RULE_PTR_MODIFIED, reg_class_name(env, reg), regno, reg->off);
}

/* G9: an object that the program owns, which it gives away. */
static int given_node_arg(struct env *env, const struct field *root)
{
	const struct reg *reg = cur_reg(env, R2);

	TRY(check_readable(env, R2));
	TRY(check_not_modified(env, R2));
	if (!reg_is(reg, REG_BTF, F_ALLOC) || !reg->ref)
		return reject(env, RULE_OBJ_ALLOC, R2 - 1);
	TRY(check_release_here(env, R2, reg->ref));
	return check_node(env, root);
}

/* G10: an object that is in a container, as far as the program knows. */
static int linked_node_arg(struct env *env, const struct field *root)
{
	const struct reg *reg = cur_reg(env, R2);

	TRY(check_readable(env, R2));
	TRY(check_not_modified(env, R2));
	if (reg->base != REG_BTF || !(reg->flags & F_NONOWN) || reg->ref)
		return reject(env, RULE_GRAPH_REMOVE);
	if (reg->flags & F_NULL)
		return reject(env, RULE_KFUNC_NULL, R2 - 1);
	if (in_less_callback(env))
		return reject(env, RULE_GRAPH_IN_LESS, "rbtree_remove");
	return check_node(env, root);
}

/* ---- effects ---- */

/* Of an object that is shared the memory lasts until the read section ends. */
static int linked_flags(struct env *env, const struct btf *btf, u32 type, u16 *flags)
{
	const struct record *rec;

	TRY(own_record(env, btf, type, &rec));
	*flags = F_ALLOC | F_NONOWN | (record_first(rec, FIELD_REFCOUNT) ? F_RCU : 0);
	return 0;
}

static int element(struct env *env, const struct field *root, u16 flags, struct reg *out)
{
	u16 linked = F_ALLOC;

	if (flags & F_NONOWN)
		TRY(linked_flags(env, root->btf, root->type, &linked));
	*out = reg_btf(root->btf, root->type, linked | (flags & F_NULL));
	out->off = (s32)root->node_off;
	return 0;
}

struct given {
	u32 ref;
	u16 flags;
};

static void disown(struct reg *reg, void *data)
{
	const struct given *given = data;

	if (reg->base != REG_BTF || reg->ref != given->ref)
		return;
	reg->flags = given->flags;
	reg->ref = reg->id = 0;
}

/* Every copy of the object in R2 is of a linked one from here on. */
static int give_node(struct env *env)
{
	const struct reg *reg = cur_reg(env, R2);
	struct given given = {.ref = reg->ref};

	TRY(linked_flags(env, reg->btf, reg->type, &given.flags));
	env->notes[env->insn].proof.gives = true;
	held_drop(env->cur, HELD_REF, given.ref);
	state_each_reg(env->cur, disown, &given);
	return 0;
}

static int take_node(struct env *env, const struct field *root)
{
	struct reg reg;
	u32 ref;

	TRY(ref_take_or_null(env, &ref));
	TRY(element(env, root, F_NULL, &reg));
	reg.id = reg.ref = ref;
	kfunc_set_result(env, reg);
	return 0;
}

/* What the call is of, for who lowers it: every path must agree on it. */
static int note_root(struct env *env, const struct field *root)
{
	struct proof_insn *proof = &env->notes[env->insn].proof;
	const struct field *seen = proof->field;

	if (seen && (seen->type != root->type || seen->node_off != root->node_off))
		return reject(env, RULE_OBJ_MIXED);
	proof->field = root;
	return note_type(env, root->type);
}

/* ---- the functions ---- */

int special_list_push(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_LIST_HEAD, &root));
	TRY(given_node_arg(env, root));
	TRY(note_root(env, root));
	TRY(give_node(env));
	kfunc_set_result(env, reg_unknown());
	return 0;
}

int special_list_pop(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_LIST_HEAD, &root));
	TRY(note_root(env, root));
	return take_node(env, root);
}

/* G12: both nodes are in the tree, or about to be. */
static int start_less(struct env *env, const struct field *root)
{
	const struct reg *func = cur_reg(env, R3);
	struct reg args[5];

	TRY(check_readable(env, R3));
	if (func->base != REG_FUNC)
		return reject(env, RULE_GRAPH_LESS, R3 - 1);
	for (u32 i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = reg_none();
	TRY(element(env, root, F_NONOWN, &args[0]));
	args[1] = args[0];
	env->notes[env->insn].proof.callback = env->prog->subprogs[func->subprog].start;
	return call_callback(env, func->subprog, CB_RBTREE_LESS, args);
}

int special_rbtree_add(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_RB_ROOT, &root));
	TRY(given_node_arg(env, root));
	if (in_less_callback(env))
		return reject(env, RULE_GRAPH_IN_LESS, "rbtree_add");
	TRY(note_root(env, root));
	TRY(start_less(env, root));
	TRY(give_node(env));
	kfunc_set_result(env, reg_unknown());
	return 0;
}

int special_rbtree_remove(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_RB_ROOT, &root));
	TRY(linked_node_arg(env, root));
	TRY(note_root(env, root));
	return take_node(env, root);
}

/* G10: an element that stays where it is, or NULL. */
static int linked_result(struct env *env, const struct field *root)
{
	struct reg reg;

	TRY(note_root(env, root));
	TRY(element(env, root, F_NONOWN | F_NULL, &reg));
	reg.id = id_new(env);
	kfunc_set_result(env, reg);
	return 0;
}

int special_list_peek(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_LIST_HEAD, &root));
	return linked_result(env, root);
}

int special_rbtree_first(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_RB_ROOT, &root));
	return linked_result(env, root);
}

int special_rbtree_child(struct env *env, struct kcall *call)
{
	const struct field *root;

	TRY(root_arg(env, FIELD_RB_ROOT, &root));
	TRY(linked_node_arg(env, root));
	return linked_result(env, root);
}
