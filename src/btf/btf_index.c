/* SPDX-License-Identifier: MIT
 *
 * btf_index.c: from names to ids, and from ids to their declaration tags. Built once at
 * opening, so that lookups need no lock.
 *
 * Names are hashed by their essential part, without the flavour that CO-RE adds
 * ("conn___v2" stands in the bucket of "conn"): one index answers exact and flavoured
 * questions. Tags are looked up by what they are on, so they are not in it.
 */
#include "btf/btf_impl.h"

#include "base/hash.h"

/* The last "___" that has no further underscore beside it, and something on both sides. */
size_t btf_essential_len(const char *name)
{
	size_t len = strlen(name);

	if (likely(!strstr(name, "___")))
		return len;
	for (size_t i = len; i >= 5; i--) {
		const char *p = name + i - 5;

		if (p[0] != '_' && !memcmp(p + 1, "___", 3) && p[4] != '_')
			return i - 4;
	}
	return len;
}

static u32 bucket(const struct btf *btf, const char *name, size_t len)
{
	return (u32)hash_bytes(name, len, 0) & btf->heads_mask;
}

static bool has_index_name(const struct btf_type *t)
{
	return t->name_off && btf_kind(t) != BTF_DECL_TAG && btf_kind(t) != BTF_TYPE_TAG;
}

static u32 count_tags(const struct btf *btf)
{
	u32 n = 0;

	for (u32 id = btf->start; id < btf->end; id++)
		n += btf_kind(btf_rec(btf, id)) == BTF_DECL_TAG;
	return n;
}

static int tag_cmp(const void *a, const void *b)
{
	const struct btf_tag_ref *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int index_tags(struct btf *btf)
{
	u32 n = 0;

	btf->ntags = count_tags(btf);
	btf->tags = malloc(((size_t)btf->ntags + 1) * sizeof(*btf->tags));
	if (!btf->tags)
		return -ENOMEM;
	for (u32 id = btf->start; id < btf->end; id++) {
		const struct btf_type *t = btf_rec(btf, id);

		if (btf_kind(t) == BTF_DECL_TAG)
			btf->tags[n++] = (struct btf_tag_ref){.target = t->type, .id = id};
	}
	qsort(btf->tags, n, sizeof(*btf->tags), tag_cmp);
	return 0;
}

/* From the last id to the first, so that ids rise along each chain. */
static int index_names(struct btf *btf)
{
	u32 n = btf->end - btf->start, buckets = 16;

	while (buckets < n)
		buckets *= 2;
	btf->heads_mask = buckets - 1;
	btf->heads = calloc(buckets, sizeof(*btf->heads));
	btf->next = malloc(((size_t)n + 1) * sizeof(*btf->next));
	if (!btf->heads || !btf->next)
		return -ENOMEM;
	for (u32 id = btf->end; id-- > btf->start;) {
		const struct btf_type *t = btf_rec(btf, id);
		const char *name = btf_str(btf, t->name_off);
		u32 *head;

		if (!has_index_name(t))
			continue;
		head = &btf->heads[bucket(btf, name, btf_essential_len(name))];
		btf->next[id - btf->start] = *head;
		*head = id;
	}
	return 0;
}

int btf_index(struct btf *btf)
{
	TRY(index_tags(btf));
	return index_names(btf);
}

/* The first id after @after in the chain of (@name, @len), in the base first. */
static u32 chain_step(const struct btf *btf, u32 after, const char *name, size_t len)
{
	u32 id;

	if (after >= btf->start)
		return btf->next[after - btf->start];
	id = btf->base ? chain_step(btf->base, after, name, len) : 0;
	return id ? id : btf->heads[bucket(btf, name, len)];
}

u32 btf_find_next(const struct btf *btf, u32 after, const char *name, enum btf_kind kind)
{
	size_t len = btf_essential_len(name);
	u32 id = after;

	while ((id = chain_step(btf, id, name, len))) {
		const struct btf_type *t = btf_rec(btf, id);

		if (btf_kind(t) == kind && !strcmp(btf_str(btf, t->name_off), name))
			return id;
	}
	return 0;
}

u32 btf_find(const struct btf *btf, const char *name, enum btf_kind kind)
{
	return btf_find_next(btf, 0, name, kind);
}

u32 btf_find_essential(const struct btf *btf, u32 after, const char *name, size_t len)
{
	u32 id = after ? btf->next[after - btf->start] : btf->heads[bucket(btf, name, len)];

	for (; id; id = btf->next[id - btf->start]) {
		const char *found = btf_type_name(btf, id);

		if (!strncmp(found, name, len) && btf_essential_len(found) == len)
			return id;
	}
	return 0;
}

/* The first entry for @target in @btf's own tags, or where it would be. */
static u32 tags_from(const struct btf *btf, u32 target)
{
	u32 lo = 0, hi = btf->ntags;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (btf->tags[mid].target < target)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const char *btf_decl_tag(const struct btf *btf, u32 id, s32 component, const char *prefix,
			 u32 *count)
{
	const char *value = NULL;
	size_t len = strlen(prefix);

	*count = 0;
	for (; btf && id < btf->end; btf = btf->base) {
		for (u32 i = tags_from(btf, id);
		     i < btf->ntags && btf->tags[i].target == id; i++) {
			const struct btf_type *t = btf_rec(btf, btf->tags[i].id);
			const char *text = btf_str(btf, t->name_off);

			if (btf_decl_tag_index(t) != component || strncmp(text, prefix, len))
				continue;
			value = value ? value : text + len;
			++*count;
		}
	}
	return value;
}
