loop: r1 = *(u64 *)(r2 +8) ; comment
	if r1 s> 0x5 goto loop
	if w3 & w4 goto pc-1
	r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r3)
	r1 = atomic64_fetch_add((u64 *)(r2 -16), r1)
	lock *(u32 *)(r1 -4) ^= r2
	r1 = load_acquire((u16 *)(r7 +2))
	store_release((u8 *)(r2 +8), r1)
	r1 = map[id:5][0]+8
	r1 = map[idx:3]
	r1 = ksym[id:7]
	r1 = subprog[loop]
	r1 = 0x123456789abcdef0 ll
	r1 = (s8)r2
	w1 s%= -7
	r1 = bswap32 r1
	r0 = *(u8 *)skb[r1 + 5]
	*(u16 *)(r10 -8) = 65535
	call bpf_map_lookup_elem#1
	call kfunc#1
	call loop
	callx r6
	may_goto +3
	gotol loop
	exit
