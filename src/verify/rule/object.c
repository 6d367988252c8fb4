/* SPDX-License-Identifier: MIT
 *
 * object.c: objects of the program's own structs (rule book section G): which special
 * fields they have, allocation, sharing and giving back.
 *
 * Invariants: an object carries a reference from its allocation until it is dropped, put
 * into a container or exchanged into a field; its special fields are never read or written
 * (G6), so that their content is only what the engine made it.
 */
#include "verify/rule/kcall.h"

/* ---- records ---- */

struct own_record { /* special fields of a struct of the program; found once */
	const struct btf *btf;
	u32 type;
	struct record *record;
	struct own_record *next;
};

/* E6: in an object that a program allocates nobody pins anything: plain bytes. */
static void drop_pinned(struct record *rec)
{
	u32 n = 0;

	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind != FIELD_UPTR)
			rec->fields[n++] = rec->fields[i];
	if (rec)
		rec->n = n;
}

static int read_record(struct env *env, const struct btf *btf, u32 type, struct record **out)
{
	struct record_opts opts;
	int err;

	image_record_opts(env->image, &opts);
	err = record_parse(env->arena, NULL, "object", btf, type, &opts, out);
	if (err && err != -ENOMEM)
		return reject(env, RULE_OBJ_RECORD, btf_type_name(btf, type));
	drop_pinned(*out);
	return err;
}

int own_record(struct env *env, const struct btf *btf, u32 type, const struct record **out)
{
	struct own_record *own = env->own_records;

	while (own && !(own->btf == btf && own->type == type))
		own = own->next;
	if (!own) {
		own = arena_new_of(env->arena, struct own_record);
		if (!own)
			return -ENOMEM;
		TRY(read_record(env, btf, type, &own->record));
		own->btf = btf;
		own->type = type;
		own->next = env->own_records;
		env->own_records = own;
	}
	*out = own->record;
	return 0;
}

const struct field *record_first(const struct record *rec, enum field_kind kind)
{
	for (u32 i = 0; rec && i < rec->n; i++)
		if (rec->fields[i].kind == kind)
			return &rec->fields[i];
	return NULL;
}

bool record_has_node(const struct record *rec)
{
	return record_first(rec, FIELD_LIST_NODE) || record_first(rec, FIELD_RB_NODE);
}

bool object_lives(const struct reg *reg)
{
	return reg->base == REG_BTF && reg->flags & F_ALLOC &&
	       !(reg->flags & (F_UNTRUSTED | F_PERCPU)) &&
	       (reg->ref || reg->flags & (F_RCU | F_NONOWN));
}

/* ---- allocation ---- */

/* An owned object says itself what it is, where paths do not agree. (One whose count may
 * be 0 no longer does.) */
static void note_some_type(struct env *env, u32 type)
{
	struct proof_insn *proof = &env->notes[env->insn].proof;

	proof->type = proof->type && proof->type != type ? TYPE_VARIES : type;
}

int note_type(struct env *env, u32 type)
{
	struct proof_insn *proof = &env->notes[env->insn].proof;

	if (proof->type && proof->type != type)
		return reject(env, RULE_OBJ_MIXED);
	proof->type = type;
	return 0;
}

int own_type_arg(struct env *env, u32 *type)
{
	const struct reg *reg = cur_reg(env, R1);
	const struct btf *btf = env->image->btf;
	u64 id;

	TRY(check_readable(env, R1));
	if (reg->base != REG_SCALAR)
		return reject(env, RULE_KFUNC_SCALAR, R1);
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_NOT_CONST, R1);
	TRY(mark_precise(env, R1));
	id = reg->num.bits.value;
	if (id > UINT32_MAX)
		return reject(env, RULE_OBJ_TYPE_RANGE);
	if (!btf || id >= btf_end(btf) || btf_kind(btf_type(btf, (u32)id)) != BTF_STRUCT)
		return reject(env, RULE_OBJ_TYPE);
	*type = (u32)id;
	return note_type(env, *type);
}

int object_born(struct env *env, u32 type, u16 flags)
{
	struct reg reg = reg_btf(env->image->btf, type, F_ALLOC | F_NULL | flags);
	u32 ref;

	TRY(ref_take_or_null(env, &ref));
	reg.id = reg.ref = ref;
	kfunc_set_result(env, reg);
	return 0;
}

/* G1 */
int special_obj_new(struct env *env, struct kcall *call)
{
	const struct record *rec;
	u32 type = 0;

	if (env->abi->policy.no_local_types)
		return reject(env, RULE_KFUNC_ALLOW, call->kfunc->name);
	TRY(own_type_arg(env, &type));
	TRY(own_record(env, env->image->btf, type, &rec));
	return object_born(env, type, 0);
}

/* ---- giving back ---- */

/* An object that the program owns, of the sort that function @name drops. */
static int dropped_arg(struct env *env, const char *name, bool percpu)
{
	const struct reg *reg = cur_reg(env, R1);

	TRY(check_readable(env, R1));
	if (reg_is_null(reg) || reg->flags & F_NULL)
		return reject(env, RULE_KFUNC_NULL, R1 - 1);
	if (!reg->ref && !(reg->flags & F_TRUSTED))
		return reject(env, RULE_KFUNC_TRUST, R1);
	if (reg->base != REG_BTF || (reg->flags & ~F_PERCPU) != F_ALLOC)
		return reject(env, RULE_OBJ_ALLOC, R1 - 1);
	TRY(check_releasable(env, R1, reg));
	if (percpu != !!(reg->flags & F_PERCPU))
		return reject(env, RULE_OBJ_DROP, R1 - 1,
			      percpu ? "bpf_obj_drop_impl" : "bpf_percpu_obj_drop_impl");
	if (percpu)
		return note_type(env, reg->type);
	note_some_type(env, reg->type);
	return 0;
}

int object_dropped(struct env *env, struct kcall *call, bool percpu)
{
	TRY(dropped_arg(env, call->kfunc->name, percpu));
	TRY(ref_release(env, cur_reg(env, R1)->ref));
	kfunc_set_result(env, reg_none());
	return 0;
}

/* G4 */
int special_obj_drop(struct env *env, struct kcall *call)
{
	return object_dropped(env, call, false);
}

/* ---- sharing ---- */

static int shared_arg(struct env *env)
{
	const struct reg *reg = cur_reg(env, R1);
	const struct record *rec;

	TRY(check_readable(env, R1));
	if (reg_is_null(reg) || reg->flags & F_NULL)
		return reject(env, RULE_KFUNC_NULL, R1 - 1);
	if (reg->base != REG_BTF || !(reg->flags & F_ALLOC) ||
	    reg->flags & (F_PERCPU | F_UNTRUSTED))
		return reject(env, RULE_OBJ_OWNING, R1 - 1);
	TRY(check_btf_offset(env, R1, reg));
	TRY(own_record(env, reg->btf, reg->type, &rec));
	if (!record_first(rec, FIELD_REFCOUNT))
		return reject(env, RULE_OBJ_NOREF, R1 - 1);
	return note_type(env, reg->type);
}

/* G7: what is owned has a count above 0; of anything else it may be 0 already. */
int special_refcount_acquire(struct env *env, struct kcall *call)
{
	struct reg shared;
	u32 ref;

	TRY(shared_arg(env));
	shared = *cur_reg(env, R1);
	if (shared.off)
		return reject(env, RULE_RELEASE_OFF, R1);
	TRY(shared.ref ? ref_take(env, &ref) : ref_take_or_null(env, &ref));
	shared.flags = F_ALLOC | (shared.ref ? 0 : F_NULL);
	shared.id = shared.ref = ref;
	kfunc_set_result(env, shared);
	return 0;
}
