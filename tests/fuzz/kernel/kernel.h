/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of a kernel as the modules' files need that take words of the other
 * side apart, for one thread (clang -include). Locks and events are nothing
 * here. What is read once out of shared memory may have been changed by the
 * peer just before: see peer_look().
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

/* before the headers that Linux has for programs, which leave theirs out then */
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/stddef.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef int16_t s16;
typedef uint16_t u16;
typedef int32_t s32;
typedef uint32_t u32;
typedef int64_t s64;
typedef uint64_t u64;
typedef int gfp_t;

#define ENOTSUPP		524
#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define PAGE_SIZE		4096
#define HZ			100
#define BITS_PER_LONG		64
#define INT_MAX			0x7fffffff
#define ULONG_MAX		(~0UL)

#define __rcu
#define __user
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define BIT(n)			(1UL << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof(*(a)))
#define sizeof_field(t, m)	sizeof(((t *)NULL)->m)
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define static_assert(c)	_Static_assert(c, #c)
#define BUILD_BUG_ON(c)		_Static_assert(!(c), #c)
#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR(p)		((long)(p))
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)

#define min(a, b)		\
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b)		\
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(t, a, b)		min((t)(a), (t)(b))

#define likely(x)		(x)
#define unlikely(x)		(x)

#define pr_err(...)		((void)snprintf(NULL, 0, __VA_ARGS__))
#define pr_warn(...)		((void)snprintf(NULL, 0, __VA_ARGS__))
#define pr_err_ratelimited	pr_err

/* Both modules have their parameters' names, but no way to set them here */
#define module_param(name, type, perm)	extern int fuzz_param_##name
#define MODULE_PARM_DESC(name, text)	extern int fuzz_described_##name
#define PVCALLS_PARAM_UINT(name, dflt, min, max, perm) \
	unsigned int param_##name = (dflt)
#define PVCALLS_PARAM_H

/* ---- memory ---- */

/* The peer's turn, before @len bytes at @p are read; each target has one */
void peer_look(const volatile void *p, size_t len);

/* The peer's turn, after it was seen to that only a copy is used from now on */
void peer_wrote(void);

#define READ_ONCE(x)		\
	(peer_look(&(x), sizeof(x)), *(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define barrier()		peer_wrote()
#define smp_mb()		((void)0)
#define virt_mb()		((void)0)
#define virt_rmb()		((void)0)
#define virt_wmb()		((void)0)
#define RINGBUF_PORT_H		/* instead of it */

#define kmalloc(n, g)		malloc(n)
#define kzalloc(n, g)		calloc(1, n)
#define kcalloc(n, s, g)	calloc(n, s)
#define kvmalloc_array(n, s, g)	calloc(n, s)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

#define test_bit(n, p)		(!!(*(p) & BIT(n)))
#define __set_bit(n, p)		((void)(*(p) |= BIT(n)))
#define __clear_bit(n, p)	((void)(*(p) &= ~BIT(n)))
#define set_bit			__set_bit
#define clear_bit		__clear_bit

static inline bool test_and_clear_bit(int n, unsigned long *p)
{
	bool was = test_bit(n, p);

	clear_bit(n, p);
	return was;
}

#define for_each_set_bit(i, p, size) \
	for ((i) = 0; (i) < (int)(size); (i)++) \
		if (test_bit(i, p))

/* ---- lists, objects, locks: types that headers name, and little more ---- */

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct rb_node {
	struct rb_node *left, *right;
};

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define llist_empty(l)		(!(l)->first)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list_head *n, struct list_head *l)
{
	n->next = l;
	n->prev = l->prev;
	l->prev->next = n;
	l->prev = n;
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *l)
{
	if (list_empty(from))
		return;
	from->next->prev = l->prev;
	l->prev->next = from->next;
	from->prev->next = l;
	l->prev = from->prev;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, t, m)	container_of(p, t, m)
#define list_first_entry_or_null(l, t, m) \
	(list_empty(l) ? NULL : list_entry((l)->next, t, m))
#define list_for_each_entry_safe(p, n, l, m)				\
	for (p = list_entry((l)->next, typeof(*p), m),			\
	     n = list_entry(p->m.next, typeof(*p), m); &p->m != (l);	\
	     p = n, n = list_entry(n->m.next, typeof(*n), m))

typedef struct {
	int v;
} refcount_t, atomic_t;

typedef struct {
	long v;
} atomic_long_t, atomic64_t;

#define refcount_set(r, n)	((r)->v = (n))
#define refcount_dec_and_test(r) (!--(r)->v)
#define atomic_read(a)		((a)->v)
#define atomic_inc(a)		((void)++(a)->v)
#define atomic_dec_and_test(a)	(!--(a)->v)

struct kref {
	int v;
};

#define kref_init(k)		((k)->v = 1)
#define kref_get(k)		((void)++(k)->v)
#define kref_put(k, fn)		(--(k)->v ? 0 : ((fn)(k), 1))

typedef struct {
	int v;
} spinlock_t, wait_queue_head_t;

#define lockdep_assert_held(l)		((void)(l))
#define spin_lock(l)			((void)(l))
#define spin_unlock(l)			((void)(l))
#define spin_lock_irq(l)		((void)(l))
#define spin_unlock_irq(l)		((void)(l))
#define spin_lock_irqsave(l, f)		((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f)	((void)(l), (void)(f))

struct mutex {
	int v;
};

struct completion {
	unsigned int done;
};

#define init_completion(c)	((c)->done = 0)
#define complete(c)		((void)(c)->done++)
int wait_for_completion_killable(struct completion *c);
#define complete_all(c)		((void)((c)->done = 1 << 30))

struct rcu_head {
	void *next;
};

struct timer_list {
	bool pending;
};

#define jiffies			0UL
#define nsecs_to_jiffies(n)	((unsigned long)((n) / (1000000000 / HZ)))
#define msecs_to_jiffies(n)	((unsigned long)(n) * HZ / 1000)
#define mod_timer(t, when)	((void)(when), (t)->pending = true)
#define timer_pending(t)	((t)->pending)

struct work_struct {
	void (*fn)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool queued;
};

struct workqueue_struct;

#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define INIT_DELAYED_WORK(w, f)	((w)->work.fn = (f), (w)->queued = false)

struct kmem_cache;

#define KMEM_CACHE(name, flags)	((struct kmem_cache *)calloc(1, 1))
#define kmem_cache_destroy(c)	free(c)
#define kmem_cache_alloc(c, g)	malloc(sizeof(struct pvcalls_call))
#define kmem_cache_free(c, p)	((void)(c), free(p))

#define GFP_ATOMIC		0

/* Objects by number, of which there are few */
struct xarray {
	void *entry[256];
};

#define xa_limit_31b		256
#define XA_PRESENT		0

/* The lowest number that is free, from 1 on */
static inline int xa_alloc_irq(struct xarray *xa, u32 *id, void *entry,
			       u32 limit, gfp_t gfp)
{
	u32 i;

	for (i = 1; i < limit; i++) {
		if (xa->entry[i])
			continue;
		xa->entry[i] = entry;
		*id = i;
		return 0;
	}
	return -EBUSY;
}

static inline void *xa_load(struct xarray *xa, unsigned long id)
{
	return id < ARRAY_SIZE(xa->entry) ? xa->entry[id] : NULL;
}

static inline void xa_erase(struct xarray *xa, unsigned long id)
{
	xa->entry[id] = NULL;
}

static inline void *xa_find(struct xarray *xa, unsigned long *id,
			    unsigned long max, int filter)
{
	for (; *id < ARRAY_SIZE(xa->entry); ++*id)
		if (xa->entry[*id])
			return xa->entry[*id];
	return NULL;
}

struct xenbus_watch {
	const char *node;
};

struct rhashtable {
	int v;
};

struct rhash_head {
	void *next;
};

struct tasklet_struct {
	int v;
};

struct ratelimit_state {
	int left;
};

#define __ratelimit(r)		((r)->left != 0)

typedef int irqreturn_t;

#define IRQ_HANDLED		1

/* ---- Xen ---- */

typedef u16 domid_t;
typedef u32 grant_ref_t;
typedef u32 grant_handle_t;
typedef u32 evtchn_port_t;

#define XEN_EOI_FLAG_SPURIOUS	1

struct evtchn_send {
	evtchn_port_t port;
};

struct multicall_entry {
	unsigned long op;
};

struct gnttab_map_grant_ref {
	unsigned long vaddr;
	u32 flags;
	grant_ref_t ref;
	domid_t domid;
	s16 status;
	grant_handle_t handle;
};

struct gnttab_unmap_grant_ref {
	unsigned long vaddr;
	u32 flags;
	grant_handle_t handle;
	s16 status;
};

#define GNTST_okay		0
#define GNTST_bad_gntref	(-3)
#define GNTST_no_device_space	(-7)
#define GNTST_no_space		(-13)
#define GNTMAP_host_map		2
#define INVALID_GRANT_HANDLE	(~0U)

void xen_irq_lateeoi(unsigned int irq, unsigned int flags);
void notify_remote_via_irq(int irq);

/* ---- the backend's traces ---- */

struct xen_pvcalls_request;

#define PVCALLS_BACK_TRACE_H
#define trace_pvcalls_request(domid, req)	fuzz_request(req)
#define trace_pvcalls_response(domid, req, begun, ret, addr, len) \
	((void)(ret))
#define trace_pvcalls_response_enabled()	false
#define ktime_get_ns()				0

/* A request that has just been copied */
void fuzz_request(const struct xen_pvcalls_request *req);

/* ---- the network ---- */

#define SOL_IP			0
#define SOL_TCP			6
#define SOL_UDP			17
#define SOL_IPV6		41

/*
 * Control messages as the kernel walks through them, which finds the next one
 * where only its first byte is within the length.
 */
#undef CMSG_FIRSTHDR
#undef CMSG_NXTHDR
#define CMSG_FIRSTHDR(msg)						\
	((msg)->msg_controllen >= sizeof(struct cmsghdr) ?		\
	 (struct cmsghdr *)(msg)->msg_control : NULL)

static inline struct cmsghdr *fuzz_next_cmsg(const struct msghdr *msg,
					     struct cmsghdr *cmsg)
{
	size_t at = (u8 *)cmsg - (u8 *)msg->msg_control;

	at += CMSG_ALIGN(cmsg->cmsg_len);
	if (at + 1 > msg->msg_controllen)
		return NULL;
	return (struct cmsghdr *)((u8 *)msg->msg_control + at);
}

#define CMSG_NXTHDR		fuzz_next_cmsg
#define for_each_cmsghdr(cmsg, msg)					\
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
#define CMSG_OK(msg, cmsg)						\
	((cmsg)->cmsg_len >= sizeof(struct cmsghdr) &&			\
	 (cmsg)->cmsg_len <= (msg)->msg_controllen -			\
			     ((u8 *)(cmsg) - (u8 *)(msg)->msg_control))

#define in6addr_loopback	((struct in6_addr)IN6ADDR_LOOPBACK_INIT)
#define ipv6_addr_v4mapped(a)	IN6_IS_ADDR_V4MAPPED(a)
#define ipv6_addr_any(a)	IN6_IS_ADDR_UNSPECIFIED(a)
#define ipv6_addr_loopback(a)	IN6_IS_ADDR_LOOPBACK(a)
#define ipv4_is_loopback(ip)	((ntohl(ip) >> 24) == 127)
#define SIN6_LEN_RFC2133	24

static inline void ipv6_addr_set_v4mapped(u32 ip, struct in6_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->s6_addr[10] = 0xff;
	a->s6_addr[11] = 0xff;
	a->s6_addr32[3] = ip;
}

/* Does an address mean something on one link only? The type is the answer. */
#define ipv6_addr_type(a)						\
	(IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) ||	\
	 IN6_IS_ADDR_MC_NODELOCAL(a))
#define __ipv6_addr_needs_scope_id(t)	(t)

/* No address is one of an interface's */
#define RTN_LOCAL		2
#define ipv6_chk_addr(net, a, dev, strict)	((void)(net), (void)(a), 0)
#define inet_addr_type(net, a)	((void)(net), (void)(a), 0)

typedef struct {
	uid_t v;
} kuid_t;

#define KUIDT_INIT(id)		((kuid_t) { id })

struct net;

struct page_frag {
	struct page *page;
};

struct bio_vec {
	struct page *bv_page;
};

struct sock {
	unsigned short sk_family;
	unsigned short sk_type;
	u16 sk_protocol;
	bool sk_ipv6only;
	kuid_t sk_uid;
};

#define ipv6_only_sock(sk)	((sk)->sk_ipv6only)

#endif /* FUZZ_KERNEL_H */
