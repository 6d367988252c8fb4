/* SPDX-License-Identifier: MIT
 *
 * lpm_trie.c: longest prefix match: keys are a length in bits (u32) and that many bits,
 * most significant first; a lookup finds the longest key that is a prefix of the one
 * asked for. A path-compressed binary trie.
 *
 * A node stands for a prefix. It has an element (pool.h) when that prefix is a key, else
 * two children that begin differently there. Elements come and go by one pointer store, so
 * a deletion needs no memory; nodes without use are spliced out by one too.
 *
 * Invariants
 *  - A child's prefix is longer than its parent's and begins with it; its next bit says
 *    which of the two children it is.
 *  - A node without element has two children.
 *  - The prefix of a linked node never changes. A node that was unlinked keeps its
 *    children until readers are done with it.
 *
 * The order of walks is that of longer prefixes first: child 0, child 1, the node itself.
 * It depends on keys alone, so a walk by next_key() goes on after a key that was deleted.
 *
 * Ordering
 *  T-A: a node is filled before it is linked, an element before it is set: the release
 *       stores in set_node() and set_elem() pair with the acquire loads in node_at() and
 *       elem_of().
 *  T-B: writers and walks by next_key() exclude each other: L1 of lock.h.
 *  T-C: nodes are freed after a grace period, elements wait in the pool's quarantine
 *       (F10, F11), where their fields are destroyed as pool.h says.
 *
 * Progress: lookups are wait-free, at most one step for each bit; writers block on one
 * lock. Fields are destroyed and destructors queued outside of it (J22).
 */
#include "run/map/pool.h"
#include "run/lock.h"

enum { MIN_DATA = 1, MAX_DATA = 256 };

struct node {
	atomic(struct node *) child[2];
	atomic(struct elem *) elem;
	u32 len;   /* of the prefix, in bits */
	u8 bits[]; /* as many bytes as a key has */
};

struct trie {
	struct map map;
	struct pool pool;
	u32 lock;
	u32 max_len, data_size;
	atomic(struct node *) root;
};

/* A key that is looked for. Its length is read once: the memory may be shared. */
struct prefix {
	u32 len;
	const u8 *bits;
};

static struct trie *trie_of(struct map *map)
{
	return container_of(map, struct trie, map);
}

static struct prefix prefix_of(const void *key)
{
	struct prefix p = {.bits = (const u8 *)key + sizeof(u32)};

	memcpy(&p.len, key, sizeof(p.len));
	return p;
}

static struct node *node_at(atomic(struct node *) *link)
{
	/* acquire: T-A, pairs with set_node() */
	return atomic_load_explicit(link, memory_order_acquire);
}

static void set_node(atomic(struct node *) *link, struct node *n)
{
	/* release: T-A, pairs with node_at() */
	atomic_store_explicit(link, n, memory_order_release);
}

static struct elem *elem_of(struct node *n)
{
	/* acquire: T-A, pairs with set_elem() */
	return atomic_load_explicit(&n->elem, memory_order_acquire);
}

static struct elem *set_elem(struct node *n, struct elem *e)
{
	/* release: T-A, pairs with elem_of() */
	return atomic_exchange_explicit(&n->elem, e, memory_order_acq_rel);
}

/* ------------------------------------------------------------------ bits */

static u32 bit_at(const u8 *bits, u32 i)
{
	return bits[i / 8] >> (7 - i % 8) & 1;
}

/* How many of the first @max bits are the same. */
static u32 common(const u8 *a, const u8 *b, u32 max)
{
	u32 n = 0;

	for (; n + 8 <= max && a[n / 8] == b[n / 8]; n += 8)
		;
	if (n < max && a[n / 8] != b[n / 8])
		n += (u32)__builtin_clz((u32)(a[n / 8] ^ b[n / 8])) - 24;
	else if (n < max)
		n = max;
	return n < max ? n : max;
}

static u32 common_with(const struct node *n, const struct prefix *p)
{
	return common(n->bits, p->bits, min_u32(n->len, p->len));
}

/* ------------------------------------------------------------------ finding */

static struct elem *find_longest(struct trie *t, const struct prefix *p)
{
	struct elem *best = NULL;
	struct node *n;

	if (p->len > t->max_len)
		return NULL;
	for (n = node_at(&t->root); n && common_with(n, p) == n->len;) {
		struct elem *e = elem_of(n);

		if (e)
			best = e;
		if (n->len == p->len)
			break;
		n = node_at(&n->child[bit_at(p->bits, n->len)]);
	}
	return best;
}

/* The link that points to, or would point to, the node of @p: the first on its way whose
 * node is not a shorter prefix of it. *parent: the link of the node above, or NULL. */
static atomic(struct node *) *find_link(struct trie *t, const struct prefix *p,
					 atomic(struct node *) **parent)
{
	atomic(struct node *) *link = &t->root;
	struct node *n;

	*parent = NULL;
	while ((n = node_at(link)) && n->len < p->len && common_with(n, p) == n->len) {
		*parent = link;
		link = &n->child[bit_at(p->bits, n->len)];
	}
	return link;
}

static bool is_node_of(const struct node *n, const struct prefix *p)
{
	return n && n->len == p->len && common_with(n, p) == p->len;
}

static void *lookup(struct map *map, const void *key)
{
	struct trie *t = trie_of(map);
	struct prefix p = prefix_of(key);
	struct elem *e = find_longest(t, &p);

	return e ? elem_value(&t->pool, e) : NULL;
}

static int read_value(struct map *map, const void *key, void *value)
{
	void *at = lookup(map, key);

	if (!at)
		return -ENOENT;
	map_value_read(map, value, at);
	return 0;
}

/* ------------------------------------------------------------------ writing */

/* Memory that an update may need, got before the lock is taken. */
struct stock {
	struct elem *elem;
	struct node *node[2]; /* a leaf, a fork */
};

static struct node *make_node(const struct trie *t)
{
	return calloc(1, sizeof(struct node) + t->data_size);
}

static void set_prefix(struct node *n, const struct trie *t, const u8 *bits, u32 len)
{
	n->len = len;
	memcpy(n->bits, bits, t->data_size);
}

/* Links a leaf for @p where it belongs: below nothing, above a longer prefix of its own,
 * or beside one that it parts from. Takes from @stock what it needs. */
static void link_leaf(struct trie *t, const struct prefix *p,
		      atomic(struct node *) *link, struct stock *stock)
{
	struct node *at = node_at(link), *leaf = stock->node[0], *fork;
	u32 same = at ? common_with(at, p) : 0;

	stock->node[0] = NULL;
	set_prefix(leaf, t, p->bits, p->len);
	set_elem(leaf, stock->elem);
	stock->elem = NULL;
	if (!at || same == p->len) {
		if (at)
			set_node(&leaf->child[bit_at(at->bits, p->len)], at);
		set_node(link, leaf);
		return;
	}
	fork = stock->node[1];
	stock->node[1] = NULL;
	set_prefix(fork, t, p->bits, same);
	set_node(&fork->child[bit_at(p->bits, same)], leaf);
	set_node(&fork->child[bit_at(at->bits, same)], at);
	set_node(link, fork);
}

/* Under the lock; *old: the element that was there. */
static int put(struct trie *t, const struct prefix *p, u64 flags, struct stock *stock,
	       struct elem **old)
{
	atomic(struct node *) *parent;
	atomic(struct node *) *link = find_link(t, p, &parent);
	struct node *n = node_at(link);
	bool same = is_node_of(n, p), there = same && elem_of(n);

	if (there && (flags & MAP_NOEXIST))
		return -EEXIST;
	if (!there && (flags & MAP_EXIST))
		return -ENOENT;
	if (!there && !pool_credit_take(&t->pool))
		return -ENOSPC;
	if (same) {
		*old = set_elem(n, stock->elem);
		stock->elem = NULL;
	} else {
		link_leaf(t, p, link, stock);
	}
	return 0;
}

static int get_stock(struct trie *t, const void *key, const void *value,
		     struct stock *stock)
{
	stock->node[0] = make_node(t);
	stock->node[1] = make_node(t);
	stock->elem = pool_take(&t->pool);
	if (!stock->node[0] || !stock->node[1] || !stock->elem)
		return -ENOMEM;
	memcpy(elem_key(stock->elem), key, t->map.key_size);
	fields_copy_in(t->map.fields, elem_value(&t->pool, stock->elem), value,
		       t->map.value_size);
	return 0;
}

static void drop_stock(struct trie *t, struct stock *stock)
{
	free(stock->node[0]);
	free(stock->node[1]);
	if (stock->elem)
		pool_give(&t->pool, stock->elem);
}

static int update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct trie *t = trie_of(map);
	struct stock stock = {0};
	struct elem *old = NULL;
	struct prefix p;
	int err;

	TRY(map_check_update(map, flags));
	err = get_stock(t, key, value, &stock);
	if (!err) {
		p = prefix_of(elem_key(stock.elem)); /* a copy that stays as it is */
		err = p.len > t->max_len ? -EINVAL : 0;
	}
	if (!err) {
		lock_take(&t->lock);
		err = put(t, &p, flags, &stock, &old);
		lock_drop(&t->lock);
	}
	drop_stock(t, &stock);
	if (old)
		pool_retire(&t->pool, old);
	return err;
}

/* Splices out the node at @link if nothing needs it: what is to be freed. Under the
 * lock. */
static struct node *splice(atomic(struct node *) *link)
{
	struct node *n = node_at(link), *a = node_at(&n->child[0]);
	struct node *b = node_at(&n->child[1]);

	if (elem_of(n) || (a && b))
		return NULL;
	set_node(link, a ? a : b);
	return n;
}

/* Takes the element of @p out: NULL when it is not there. At most two nodes lose their
 * use: its own, and the fork above that it was one side of. */
static struct elem *cut(struct trie *t, const struct prefix *p, struct node *gone[2])
{
	atomic(struct node *) *parent;
	atomic(struct node *) *link = find_link(t, p, &parent);
	struct node *n = node_at(link);
	struct elem *e = is_node_of(n, p) ? set_elem(n, NULL) : NULL;

	if (!e)
		return NULL;
	gone[0] = splice(link);
	if (gone[0] && parent)
		gone[1] = splice(parent);
	return e;
}

static int take(struct map *map, const void *key, void *value)
{
	struct trie *t = trie_of(map);
	struct prefix p = prefix_of(key);
	struct node *gone[2] = {NULL, NULL};
	struct elem *e;

	if (p.len > t->max_len)
		return -EINVAL;
	lock_take(&t->lock);
	e = cut(t, &p, gone);
	lock_drop(&t->lock);
	if (!e)
		return -ENOENT;
	if (value)
		map_value_read(map, value, elem_value(&t->pool, e));
	for (u32 i = 0; i < 2; i++)
		if (gone[i])
			defer_call(map->host, free, gone[i]);
	pool_credit_give(&t->pool);
	pool_retire(&t->pool, e);
	return 0;
}

static int remove_key(struct map *map, const void *key)
{
	return take(map, key, NULL);
}

/* ------------------------------------------------------------------ walks */

/* The first node of the subtree at @n, in the order of walks, that has an element. */
static struct node *first_below(struct node *n)
{
	while (n) {
		struct node *a = node_at(&n->child[0]), *b = node_at(&n->child[1]);

		if (!a && !b)
			return n;
		n = a ? a : b;
	}
	return NULL;
}

/* What follows @p, which need not be there: of the nodes above it, the lowest that has
 * something left: its child 1 when @p is in or left of its child 0, else itself. */
static struct node *node_after(struct trie *t, const struct prefix *p)
{
	struct node *n = node_at(&t->root), *self = NULL, *below = NULL;

	while (n && n->len < p->len && common_with(n, p) == n->len) {
		u32 side = bit_at(p->bits, n->len);
		struct node *right = node_at(&n->child[1]);

		if (!side && right) {
			below = right;
			self = NULL;
		} else if (elem_of(n)) {
			self = n;
			below = NULL;
		}
		n = node_at(&n->child[side]);
	}
	/* A node that parts from @p to the right is what would have come next. */
	if (n && common_with(n, p) < min_u32(n->len, p->len) &&
	    !bit_at(p->bits, common_with(n, p)))
		return first_below(n);
	return below ? first_below(below) : self;
}

/* The element after @key (NULL: the first); under the lock, so that nothing is missed. */
static struct elem *elem_after(struct trie *t, const void *key)
{
	struct prefix p = key ? prefix_of(key) : (struct prefix){0};
	struct elem *e;
	struct node *n;

	lock_take(&t->lock);
	if (key && p.len <= t->max_len)
		n = node_after(t, &p);
	else
		n = first_below(node_at(&t->root));
	e = n ? elem_of(n) : NULL;
	lock_drop(&t->lock);
	return e;
}

static int next_key(struct map *map, const void *key, void *next)
{
	struct elem *e = elem_after(trie_of(map), key);

	if (!e)
		return -ENOENT;
	memcpy(next, elem_key(e), map->key_size);
	return 0;
}

static u32 count(struct map *map)
{
	return pool_live(&trie_of(map)->pool);
}

/* fn() may change the map: each step starts at the root again. */
static s64 for_each(struct map *map, u64 (*fn)(void *data, const void *key, void *value),
		    void *data)
{
	struct trie *t = trie_of(map);
	struct elem *e = NULL;
	s64 n = 0;

	while ((e = elem_after(t, e ? elem_key(e) : NULL))) {
		n++;
		if (fn(data, elem_key(e), elem_value(&t->pool, e)))
			break;
	}
	return n;
}

static void each_value(struct map *map, void (*fn)(void *data, void *value), void *data)
{
	struct trie *t = trie_of(map);
	struct elem *e = NULL;

	while ((e = elem_after(t, e ? elem_key(e) : NULL)))
		fn(data, elem_value(&t->pool, e));
}

/* ------------------------------------------------------------------ life */

static int create(struct log *log, const struct map *proto, const struct image_map *def,
		  struct map **out)
{
	const struct pool_opts opts = {0};
	u32 data = proto->key_size - (u32)sizeof(u32);
	struct trie *t;
	int err;

	if (!(proto->flags & MAPF_NO_PREALLOC))
		return log_fail(log, -EINVAL,
				"map '%s': an LPM trie needs BPF_F_NO_PREALLOC", def->name);
	if (proto->key_size < sizeof(u32) + MIN_DATA || data > MAX_DATA)
		return log_fail(log, -EINVAL,
				"map '%s': key_size is %u: a key of an LPM trie is a u32 and "
				"%d to %d bytes", def->name, proto->key_size, MIN_DATA,
				MAX_DATA);
	t = calloc(1, sizeof(*t));
	if (!t)
		return log_fail(log, -ENOMEM, "map '%s': out of memory", def->name);
	t->map = *proto;
	t->data_size = data;
	t->max_len = data * 8;
	err = pool_open(log, &t->pool, &t->map, &opts);
	if (err) {
		free(t);
		return err;
	}
	*out = &t->map;
	return 0;
}

/* Cuts the trie down leaf by leaf: no stack of nodes, however deep it is. */
static void destroy(struct map *map)
{
	struct trie *t = trie_of(map);
	atomic(struct node *) *link = &t->root;
	struct node *n;

	while ((n = node_at(link))) {
		struct node *a = node_at(&n->child[0]), *b = node_at(&n->child[1]);

		if (a || b) {
			link = &n->child[a ? 0 : 1];
			continue;
		}
		if (elem_of(n))
			pool_drop(&t->pool, elem_of(n));
		free(n);
		set_node(link, NULL);
		link = &t->root;
	}
	pool_close(&t->pool);
	free(t);
}

const struct map_ops map_lpm_trie_ops = {
	.type = MAP_LPM_TRIE,
	.flags = MAPF_NO_PREALLOC,
	.create = create,
	.free = destroy,
	.lookup = lookup,
	.update = update,
	.remove = remove_key,
	.take = take,
	.next_key = next_key,
	.count = count,
	.read = read_value,
	.write = update,
	.for_each = for_each,
	.each_value = each_value,
};
