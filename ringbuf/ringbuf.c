// SPDX-License-Identifier: GPL-2.0
/* The arithmetic of ring indexes; ringbuf.h has the rules. */
#include "ringbuf.h"

/**
 * ringbuf_init() - initialise an empty ring
 * @r: the ring's private state
 * @sh: addresses of the shared words, which are copied
 * @size: bytes in the ring, a power of two from 2^12 to 2^20
 *
 * Both indexes start at zero, whatever the shared page says. The checks find a
 * peer that disagrees.
 *
 * Context: any.
 */
void ringbuf_init(struct ringbuf *r, const struct ringbuf_shared *sh, u32 size)
{
	r->sh = *sh;
	r->size = size;
	r->prod = 0;
	r->cons = 0;
}

/**
 * ringbuf_start_producer() - ask for no event at the start
 * @r: empty ring, on the producer's side
 *
 * The shared page starts with a threshold of zero, which would ask for an event
 * about the first byte that is consumed. So the producer moves the threshold
 * away.
 *
 * Context: any; calls on the producer's side must not overlap.
 */
void ringbuf_start_producer(struct ringbuf *r)
{
	/*
	 * half of the index's range ahead is as far away as a threshold can be
	 */
	if (r->sh.space_wake)
		WRITE_ONCE(*r->sh.space_wake, r->prod + (1U << 31));
}

static struct ringbuf_span ringbuf_span(const struct ringbuf *r, u32 start,
					u32 len)
{
	struct ringbuf_span s;

	s.off[0] = start & (r->size - 1);
	s.off[1] = 0;
	s.len[0] = min(len, r->size - s.off[0]);
	s.len[1] = len - s.len[0];
	return s;
}

/*
 * Has an index that went from @old to @new passed the threshold @wake of a
 * waiter? The waiter asks to be woken once the index is beyond @wake. As with
 * Xen's and virtio's event indexes, the subtraction is modulo 2^32.
 */
static bool ringbuf_passed(u32 wake, u32 old, u32 new)
{
	return (u32)(new - wake - 1) < (u32)(new - old);
}

/*
 * Read and check the consumer's index. The peer may only consume bytes that
 * were produced, and never take its index back.
 */
static int ringbuf_read_cons(struct ringbuf *r)
{
	u32 cons = READ_ONCE(*r->sh.cons);

	if ((u32)(r->prod - cons) > (u32)(r->prod - r->cons))
		return -EPROTO;
	r->cons = cons;
	return 0;
}

/*
 * Read and check the producer's index. The peer may only produce into free
 * space, and never take its index back.
 */
static int ringbuf_read_prod(struct ringbuf *r)
{
	u32 prod = READ_ONCE(*r->sh.prod);

	if ((u32)(prod - r->cons) > r->size ||
	    (u32)(prod - r->cons) < (u32)(r->prod - r->cons))
		return -EPROTO;
	r->prod = prod;
	return 0;
}

/**
 * ringbuf_space() - bytes that the producer may write now
 * @r: ring, on the producer's side
 *
 * The consumer's index is read and checked.
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: 0 to @r->size, or -EPROTO if the peer's index makes no sense.
 */
int ringbuf_space(struct ringbuf *r)
{
	int ret = ringbuf_read_cons(r);

	if (ret)
		return ret;
	/* read the index before overwriting the bytes that it has freed */
	virt_mb();
	return r->size - (r->prod - r->cons);
}

/**
 * ringbuf_free_span() - find where the next bytes go
 * @r: ring, on the producer's side
 * @skip: bytes to leave out first
 * @len: number of bytes; @skip + @len is at most what ringbuf_space() has
 *	returned
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: the stretches to write to, in order.
 */
struct ringbuf_span ringbuf_free_span(const struct ringbuf *r, u32 skip,
				      u32 len)
{
	return ringbuf_span(r, r->prod + skip, len);
}

/**
 * ringbuf_produce() - publish bytes that have been written
 * @r: ring, on the producer's side
 * @len: number of bytes, at most what ringbuf_space() has returned
 *
 * Without thresholds the consumer may sleep only if it has seen all bytes that
 * were published before (specification, "Why ring.h is not needed"). If it has
 * seen these bytes too, no event may be sent: the in-tree backend never listens
 * again after an event about nothing.
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: true if the peer must be sent an event.
 */
bool ringbuf_produce(struct ringbuf *r, u32 len)
{
	u32 old = r->prod, left;

	r->prod = old + len;
	/* write the bytes before the index that publishes them */
	virt_wmb();
	WRITE_ONCE(*r->sh.prod, r->prod);
	/* write the index before looking whether the peer sleeps */
	virt_mb();
	if (r->sh.data_wake)
		return ringbuf_passed(READ_ONCE(*r->sh.data_wake), old,
				      r->prod);
	left = r->prod - READ_ONCE(*r->sh.cons);
	return left && left <= len;
}

/**
 * ringbuf_wait_space() - announce that the producer is about to wait
 * @r: ring, on the producer's side
 * @want: number of free bytes to wait for, 1 to @r->size. Without thresholds
 *	the peer only promises an event when a full ring gets less full
 *
 * The producer calls this function each time before sleeping. It may sleep only
 * if less than @want is returned; without thresholds, only if 0 is returned.
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: free bytes now, 0 to @r->size, or -EPROTO if the peer's index makes
 * no sense.
 */
int ringbuf_wait_space(struct ringbuf *r, u32 want)
{
	if (r->sh.space_wake) {
		/* want free bytes <=> cons > prod + want - size - 1 */
		WRITE_ONCE(*r->sh.space_wake, r->prod + want - r->size - 1);
	}
	/* write the threshold and all before it, and only then look again */
	virt_mb();
	return ringbuf_space(r);
}

/**
 * ringbuf_avail() - bytes that the consumer may read now
 * @r: ring, on the consumer's side
 *
 * The producer's index is read and checked.
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: 0 to @r->size, or -EPROTO if the peer's index makes no sense.
 */
int ringbuf_avail(struct ringbuf *r)
{
	int ret = ringbuf_read_prod(r);

	if (ret)
		return ret;
	/* read the index before the bytes that it publishes */
	virt_rmb();
	return r->prod - r->cons;
}

/**
 * ringbuf_data_span() - find where the next bytes are
 * @r: ring, on the consumer's side
 * @skip: bytes to leave out first
 * @len: number of bytes after these; @skip + @len is at most what
 *	ringbuf_avail() has returned
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: the stretches to read, in order.
 */
struct ringbuf_span ringbuf_data_span(const struct ringbuf *r, u32 skip,
				      u32 len)
{
	return ringbuf_span(r, r->cons + skip, len);
}

/**
 * ringbuf_consume() - give back bytes that have been read
 * @r: ring, on the consumer's side
 * @len: number of bytes, at most what ringbuf_avail() has returned
 *
 * Without thresholds the producer may sleep only if the ring was full
 * (specification, "Why ring.h is not needed").
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: true if the peer must be sent an event.
 */
bool ringbuf_consume(struct ringbuf *r, u32 len)
{
	u32 old = r->cons;

	r->cons = old + len;
	/* read index and bytes before writing the index that frees the bytes */
	virt_mb();
	WRITE_ONCE(*r->sh.cons, r->cons);
	/* write the index before looking whether the peer sleeps */
	virt_mb();
	if (r->sh.space_wake)
		return ringbuf_passed(READ_ONCE(*r->sh.space_wake), old,
				      r->cons);
	return (u32)(READ_ONCE(*r->sh.prod) - old) >= r->size;
}

/**
 * ringbuf_wait_data() - announce that the consumer is about to wait
 * @r: ring, on the consumer's side
 * @want: number of bytes to wait for, 1 to @r->size. Without thresholds the
 *	peer only promises an event when an empty ring gets less empty
 *
 * The consumer calls this function each time before sleeping. It may sleep only
 * if less than @want is returned; without thresholds, only if 0 is returned.
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: bytes there now, 0 to @r->size, or -EPROTO if the peer's index makes
 * no sense.
 */
int ringbuf_wait_data(struct ringbuf *r, u32 want)
{
	if (r->sh.data_wake)
		WRITE_ONCE(*r->sh.data_wake, r->cons + want - 1);
	/* write the threshold and all before it, and only then look again */
	virt_mb();
	return ringbuf_avail(r);
}
