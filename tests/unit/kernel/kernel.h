/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of a kernel as back/sched/, back/ring/evtchn.c, back/ring/notify.c and
 * front/conn/ports.c need, on threads of a program: what is a full barrier there is one here, what promises less
 * promises no more here, so that the thread sanitizer can judge.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef int16_t s16;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int64_t s64;
typedef uint64_t u64;
typedef u16 __be16;
typedef u16 domid_t;

/* For the tests themselves, in any thread */
#define must(c)	do { \
	if (!(c)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
			#c); \
		abort(); \
	} \
} while (0)

static inline u32 rnd(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#define __rcu
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define BIT(n)			(1UL << (n))
#define NR_CPUS			64
#define PAGE_SIZE		4096
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define S64_MAX			INT64_MAX
#define GFP_KERNEL		0
#define KBUILD_MODNAME		"test"
#define pr_err(...)		((void)snprintf(NULL, 0, __VA_ARGS__))
#define pr_warn(...)		((void)0)
#define unlikely(x)		(x)
#define likely(x)		(x)
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min(a, b)		\
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max_t(t, a, b)		((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define min_t(t, a, b)		((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)
#define PTR_ERR(p)		((long)(p))
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)
#define hash_32(n, bits)	((n) & (BIT(bits) - 1))
#define div_u64(n, by)		((u64)(n) / (by))
#define div64_u64		div_u64
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define lockdep_assert_held(l)	((void)(l))
#define lockdep_is_held(l)	((void)(l), true)
#define strim(s)		((void)(s))
#define strscpy(d, s, n)	snprintf(d, n, "%s", s)
#define sysfs_emit(b, ...)	snprintf(b, PAGE_SIZE, __VA_ARGS__)

/* ---- memory ---- */

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
/* the sanitizer knows no fences */
#define smp_mb()		((void)0)
#define smp_mb__after_atomic()	((void)0)
#define smp_store_mb(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)
#define test_bit(n, p)		\
	(!!(__atomic_load_n(p, __ATOMIC_RELAXED) & BIT(n)))
#define set_bit(n, p)		__atomic_fetch_or(p, BIT(n), __ATOMIC_SEQ_CST)
#define clear_bit(n, p)		\
	(dawdle(), __atomic_fetch_and(p, ~BIT(n), __ATOMIC_SEQ_CST))
#define __test_and_set_bit(n, p) \
	(!!(__atomic_fetch_or(p, BIT(n), __ATOMIC_SEQ_CST) & BIT(n)))

/* At times a thread is held up where others could get in between */
void dawdle(void);

static inline bool test_and_set_bit(int n, unsigned long *p)
{
	bool was;

	dawdle();
	was = __test_and_set_bit(n, p);
	dawdle();
	return was;
}

static inline bool test_and_clear_bit(int n, unsigned long *p)
{
	bool was;

	dawdle();
	was = __atomic_fetch_and(p, ~BIT(n), __ATOMIC_SEQ_CST) & BIT(n);
	dawdle();
	return was;
}

#define DECLARE_BITMAP(n, bits)	unsigned long n[((bits) + 63) / 64]
#define bitmap_weight(p, n)	__builtin_popcountl((p)[0])

typedef struct {
	int v;
} atomic_t;

#define atomic_read(a)		__atomic_load_n(&(a)->v, __ATOMIC_SEQ_CST)
#define atomic_inc(a)		__atomic_add_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST)
#define atomic_dec(a)		__atomic_sub_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST)
#define atomic_inc_return	atomic_inc
#define atomic_add(n, a)	__atomic_add_fetch(&(a)->v, n, __ATOMIC_SEQ_CST)
#define atomic_xchg(a, n)	__atomic_exchange_n(&(a)->v, n, __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(a)	\
	(!__atomic_sub_fetch(&(a)->v, 1, __ATOMIC_SEQ_CST))

static inline void *aligned_zeroes(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) & ~63UL);

	return p ? memset(p, 0, n) : NULL;
}

typedef struct {
	int v;
} refcount_t;

#define refcount_set(r, n)	__atomic_store_n(&(r)->v, n, __ATOMIC_SEQ_CST)
#define refcount_dec_and_test(r) atomic_dec_and_test(r)

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int v = __atomic_load_n(&r->v, __ATOMIC_SEQ_CST);

	while (v && !__atomic_compare_exchange_n(&r->v, &v, v + 1, false,
						 __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
		;
	return v;
}

#define kvzalloc_node(n, g, o)	calloc(1, n)
#define kzalloc(n, g)		calloc(1, n)
#define kvzalloc(n, g)		aligned_zeroes(n)
#define kvmalloc_array(n, s, g)	calloc(n, s)
#define kvfree			free
#define kfree			free

/* Is it that, within a tenth? Else it says so. */
static inline bool about(u32 n, u32 want)
{
	if (n >= want * 9 / 10 && n <= want * 11 / 10)
		return true;
	printf("%u runs, not %u\n", n, want);
	return false;
}

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

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

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move_tail(struct list_head *n, struct list_head *l)
{
	list_del_init(n);
	list_add_tail(n, l);
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *l)
{
	if (list_empty(from))
		return;
	from->prev->next = l->next;
	l->next->prev = from->prev;
	from->next->prev = l;
	l->next = from->next;
	INIT_LIST_HEAD(from);
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

#define LIST_HEAD(l)		struct list_head l = { &(l), &(l) }
#define list_entry(p, t, m)	container_of(p, t, m)
#define list_first_entry(l, t, m) list_entry((l)->next, t, m)
#define list_first_entry_or_null(l, t, m) \
	(list_empty(l) ? NULL : list_entry((l)->next, t, m))
#define list_for_each_entry(p, l, m)					\
	for (p = list_entry((l)->next, typeof(*p), m); &p->m != (l);	\
	     p = list_entry(p->m.next, typeof(*p), m))
#define list_for_each_entry_safe(p, n, l, m)				\
	for (p = list_entry((l)->next, typeof(*p), m),			\
	     n = list_entry(p->m.next, typeof(*p), m); &p->m != (l);	\
	     p = n, n = list_entry(n->m.next, typeof(*n), m))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	n->pprev = &h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
}

static inline void hlist_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
}

#define hlist_entry(p, t, m)	((p) ? container_of(p, t, m) : NULL)
#define hlist_for_each_entry(p, h, m)					\
	for (p = hlist_entry((h)->first, typeof(*p), m); p;		\
	     p = hlist_entry(p->m.next, typeof(*p), m))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define llist_entry(p, t, m)	container_of(p, t, m)

static inline void init_llist_head(struct llist_head *l)
{
	l->first = NULL;
}

static inline bool llist_empty(struct llist_head *l)
{
	/* after set_current_state(), a full barrier */
	return !__atomic_load_n(&l->first, __ATOMIC_SEQ_CST);
}

static inline bool llist_add(struct llist_node *n, struct llist_head *l)
{
	struct llist_node *first = READ_ONCE(l->first);

	do {
		n->next = first;
	} while (!__atomic_compare_exchange_n(&l->first, &first, n, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	dawdle();
	return !first;
}

static inline struct llist_node *llist_del_all(struct llist_head *l)
{
	return xchg(&l->first, NULL);
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *all = NULL;

	while (n) {
		struct llist_node *next = n->next;

		n->next = all;
		all = n;
		n = next;
	}
	return all;
}

#include "clock.h"

/* ---- locks, waiting, RCU ---- */

typedef pthread_mutex_t spinlock_t;
struct mutex {
	pthread_mutex_t m;
};

#define DEFINE_SPINLOCK(n)	spinlock_t n = PTHREAD_MUTEX_INITIALIZER
#define spin_lock_init(l)	pthread_mutex_init(l, NULL)
#define spin_lock(l)		pthread_mutex_lock(l)
#define spin_lock_nested(l, n)	pthread_mutex_lock(l)
#define spin_unlock(l)		pthread_mutex_unlock(l)
#define spin_lock_bh		spin_lock
#define spin_unlock_bh		spin_unlock
#define spin_lock_irq		spin_lock
#define spin_unlock_irq		spin_unlock
#define spin_lock_irqsave(l, f)	((f) = 0, spin_lock(l))
#define spin_unlock_irqrestore(l, f) ((void)(f), spin_unlock(l))
#define DEFINE_MUTEX(n)		struct mutex n = { PTHREAD_MUTEX_INITIALIZER }
#define mutex_init(l)		pthread_mutex_init(&(l)->m, NULL)
#define mutex_lock(l)		pthread_mutex_lock(&(l)->m)
#define mutex_unlock(l)		pthread_mutex_unlock(&(l)->m)
typedef int wait_queue_head_t;

#define init_waitqueue_head(q)	((void)(q))
#define wake_up(q)		((void)(q))
#define wait_event(q, c)	do { while (!(c)) usleep_some(); } while (0)

void usleep_some(void);
void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);
void rcu_thread_begin(void);
void rcu_thread_end(void);

#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_dereference_protected(p, c)	((void)(c), rcu_dereference(p))
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v)	rcu_assign_pointer(p, v)

/* ---- threads ---- */

#define TASK_RUNNING	0
#define TASK_IDLE	1

struct task_struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	int state;
	bool stop;
	int (*fn)(void *data);
	void *data;
};

extern __thread struct task_struct *current;

struct task_struct *kthread_create_on_node(int (*fn)(void *data), void *data,
					   int node, const char *fmt, ...);
void set_current_state(int state);
#define __set_current_state	set_current_state
void schedule(void);
void wake_up_process(struct task_struct *t);
void kthread_stop(struct task_struct *t);
#define kthread_data(t)		((t)->data)
#define kthread_should_stop()	\
	__atomic_load_n(&current->stop, __ATOMIC_SEQ_CST)
#define kthread_bind(t, c)	((void)(t), (void)(c))
#define cond_resched()		sched_yield()
#define cpu_relax()		sched_yield()
#define need_resched()		false

/* Softirqs: each tasklet is a thread, and runs beside all others */
struct tasklet_struct {
	struct task_struct *task;
	void (*fn)(struct tasklet_struct *t);
	u32 scheduled;
};

#define from_tasklet(var, t, field)	container_of(t, typeof(*var), field)
void tasklet_setup(struct tasklet_struct *t,
		   void (*fn)(struct tasklet_struct *t));
void tasklet_schedule(struct tasklet_struct *t);
void tasklet_kill(struct tasklet_struct *t);

static inline u64 local_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* ---- CPUs ---- */

struct cpumask {
	unsigned long bits;
};
typedef struct cpumask cpumask_var_t[1];

extern struct cpumask test_possible, test_online;

#define nr_cpu_ids		NR_CPUS
#define cpu_possible_mask	(&test_possible)
#define cpu_online_mask		(&test_online)
#define cpumask_pr_args(m)	0, (void *)(m)
#define cpu_to_node(c)		((void)(c), 0)
#define alloc_cpumask_var(m, g)	((void)(m), true)
#define free_cpumask_var(m)	((void)(m))
#define cpumask_of(c)		((void)(c), NULL)
#define cpus_read_lock()	mutex_lock(&test_hotplug)
#define cpus_read_unlock()	mutex_unlock(&test_hotplug)

extern struct mutex test_hotplug;

static inline unsigned int cpumask_next(int c, const struct cpumask *m)
{
	for (c++; c < NR_CPUS && !(m->bits & BIT(c)); c++)
		;
	return c;
}

#define cpumask_set_cpu(c, m)	((m)->bits |= BIT(c))
#define cpumask_test_cpu(c, m)	(!!((m)->bits & BIT(c)))
#define cpumask_first(m)	cpumask_next(-1, m)
#define cpumask_weight(m)	__builtin_popcountl((m)->bits)
#define cpumask_empty(m)	(!(m)->bits)
#define cpumask_copy(d, s)	((d)->bits = (s)->bits)
#define cpumask_subset(a, b)	(!((a)->bits & ~(b)->bits))
#define cpumask_intersects(a, b) (!!((a)->bits & (b)->bits))
#define cpumask_and(d, a, b)	(!!((d)->bits = (a)->bits & (b)->bits))

static inline int cpulist_parse(const char *s, struct cpumask *m)
{
	m->bits = strtoul(s, NULL, 16);		/* in this kernel, a mask */
	return 0;
}

enum cpuhp_state {
	CPUHP_AP_ONLINE_DYN = 100,
};

extern int (*test_cpu_online)(unsigned int cpu);
extern int (*test_cpu_offline)(unsigned int cpu);

#define cpuhp_setup_state_nocalls(s, n, on, off) \
	(test_cpu_online = (on), test_cpu_offline = (off), (int)(s))
#define cpuhp_remove_state_nocalls(s)	((void)(s))

/* ---- the rest ---- */

struct work_struct {
	void (*fn)(struct work_struct *work);
};

#define DECLARE_WORK(n, f)	struct work_struct n = { f }
#define queue_work(q, w)	test_queue_work(w)
#define cancel_work_sync(w)	((void)(w))
void test_queue_work(struct work_struct *work);

struct kernel_param {
	void *arg;
};

struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

#define module_param_cb(name, ops, arg, perm)	\
	const struct kernel_param_ops *const test_param_##name = (ops)
#define MODULE_PARM_DESC(name, text)	extern int test_described_##name

static inline int kstrtouint(const char *s, int base, unsigned int *n)
{
	char *end;

	*n = strtoul(s, &end, base);
	return end == s || *end ? -EINVAL : 0;
}

static inline int param_set_uint_minmax(const char *s,
					const struct kernel_param *kp,
					unsigned int min, unsigned int max)
{
	unsigned int n;

	(void)kp;
	return kstrtouint(s, 0, &n) || n < min || n > max ? -EINVAL : 0;
}

static inline int param_get_uint(char *b, const struct kernel_param *kp)
{
	(void)kp;
	return snprintf(b, PAGE_SIZE, "?");
}

/* event channels; see the test */
void irq_set_affinity(int irq, const void *mask);
void notify_remote_via_irq(int irq);

typedef u32 evtchn_port_t;

struct evtchn_send {
	evtchn_port_t port;
};

struct multicall_entry {
	unsigned long op, result, args[6];
};

#define __HYPERVISOR_event_channel_op	32
#define EVTCHNOP_send			4
#define EVTCHN_FIFO_NR_CHANNELS		(1U << 17)

unsigned int irq_from_evtchn(evtchn_port_t port);

static inline void notify_remote_via_evtchn(evtchn_port_t port)
{
	notify_remote_via_irq(irq_from_evtchn(port));
}
int HYPERVISOR_multicall(void *calls, u32 n);

/* tracepoints */
#define PVCALLS_BACK_TRACE_H
#define trace_pvcalls_events(nr)	((void)(nr))

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);
struct xenbus_device;

#define IRQ_HANDLED		1
#define XEN_EOI_FLAG_SPURIOUS	1

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port,
						  irq_handler_t handler,
						  unsigned long flags,
						  const char *name, void *data);
void unbind_from_irqhandler(unsigned int irq, void *data);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);

/* what ring/tools.h embeds and never looks into */
#define PVCALLS_BACK_DATAMAP_H
#define PVCALLS_BACK_FRAGS_H
#define PVCALLS_EXT_H
#define PVCALLS_MAX_PAGE_ORDER	9
#define PVCALLS_MAX_SHARED	6	/* in this kernel */
struct bio_vec {
	int x;
};
struct pvcalls_datamap_scratch {
	u64 cost;
};
struct pvcalls_frags {
	int x;
};
#define pvcalls_frags_free(f)	((void)(f))

#endif /* TEST_KERNEL_H */
