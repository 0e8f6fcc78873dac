// SPDX-License-Identifier: GPL-2.0
/* See ringbuf.h. */
#include "ringbuf.h"

/**
 * ringbuf_init() - start with an empty ring
 * @r: state to fill in
 * @sh: the shared words; copied
 * @size: bytes in the ring, a power of two
 *
 * Both indexes start at zero, whatever the shared page says: a peer that
 * disagrees is caught by the checks.
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
 * ringbuf_start_producer() - the producer waits for no space at the start
 * @r: ring, on the producer's side, empty
 *
 * The threshold that the shared page starts with, zero, would ask for an event
 * about the first byte that is consumed.
 *
 * Context: any; calls on the producer's side must not overlap.
 */
void ringbuf_start_producer(struct ringbuf *r)
{
	/* as far away as it can be */
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
 * Has a waiter at threshold @wake been passed by an index that went from @old
 * to @new? The waiter asks to be woken once the index is beyond @wake; as with
 * Xen's and virtio's event indexes, the subtraction is modulo 2^32.
 */
static bool ringbuf_passed(u32 wake, u32 old, u32 new)
{
	return (u32)(new - wake - 1) < (u32)(new - old);
}

/* The peer may only consume what was produced, and never take it back. */
static int ringbuf_read_cons(struct ringbuf *r)
{
	u32 cons = READ_ONCE(*r->sh.cons);

	if ((u32)(r->prod - cons) > (u32)(r->prod - r->cons))
		return -EPROTO;
	r->cons = cons;
	return 0;
}

/* The peer may only produce into free space, and never take it back. */
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
 * Reads the consumer's index and checks it.
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: 0 to @r->size, or -EPROTO if the peer's index makes no sense.
 */
int ringbuf_space(struct ringbuf *r)
{
	int ret = ringbuf_read_cons(r);

	if (ret)
		return ret;
	/* the bytes must not be overwritten before the index was read */
	virt_mb();
	return r->size - (r->prod - r->cons);
}

/**
 * ringbuf_free_span() - where the next bytes go
 * @r: ring, on the producer's side
 * @skip: bytes to leave out before them
 * @len: how many; @skip + @len at most what ringbuf_space() returned
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
 * @len: how many; at most what ringbuf_space() returned
 *
 * Without thresholds the consumer may be asleep only if it had seen all that
 * was published before (specification, "Why ring.h is not needed"), and if it
 * has not seen this, too: the in-tree backend never listens again after an
 * event about nothing.
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: true if the peer must be sent an event.
 */
bool ringbuf_produce(struct ringbuf *r, u32 len)
{
	u32 old = r->prod, left;

	r->prod = old + len;
	/* the bytes before the index */
	virt_wmb();
	WRITE_ONCE(*r->sh.prod, r->prod);
	/* the index before the look at whether the peer sleeps */
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
 * @want: free bytes that it waits for, 1 to @r->size; without thresholds the
 *	peer only promises an event when a full ring gets less full
 *
 * Call it before sleeping, every time, and sleep only if it returns less than
 * wanted (without thresholds: 0).
 *
 * Context: any; calls on the producer's side must not overlap.
 * Return: free bytes now, or -EPROTO.
 */
int ringbuf_wait_space(struct ringbuf *r, u32 want)
{
	if (r->sh.space_wake) {
		/* want free bytes <=> cons > prod + want - size - 1 */
		WRITE_ONCE(*r->sh.space_wake, r->prod + want - r->size - 1);
	}
	/* the threshold, and all published before, before the look again */
	virt_mb();
	return ringbuf_space(r);
}

/**
 * ringbuf_avail() - bytes that the consumer may read now
 * @r: ring, on the consumer's side
 *
 * Reads the producer's index and checks it.
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: 0 to @r->size, or -EPROTO if the peer's index makes no sense.
 */
int ringbuf_avail(struct ringbuf *r)
{
	int ret = ringbuf_read_prod(r);

	if (ret)
		return ret;
	/* the index before the bytes */
	virt_rmb();
	return r->prod - r->cons;
}

/**
 * ringbuf_data_span() - where the next bytes are
 * @r: ring, on the consumer's side
 * @skip: bytes to pass over first
 * @len: how many after those; @skip + @len is at most what ringbuf_avail()
 *	returned
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
 * @len: how many; at most what ringbuf_avail() returned
 *
 * Without thresholds the producer may be asleep only if the ring was full
 * (specification, "Why ring.h is not needed").
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: true if the peer must be sent an event.
 */
bool ringbuf_consume(struct ringbuf *r, u32 len)
{
	u32 old = r->cons;

	r->cons = old + len;
	/* the bytes must have been read, and the index must be seen first */
	virt_mb();
	WRITE_ONCE(*r->sh.cons, r->cons);
	/* the index before the look at whether the peer sleeps */
	virt_mb();
	if (r->sh.space_wake)
		return ringbuf_passed(READ_ONCE(*r->sh.space_wake), old,
				      r->cons);
	return (u32)(READ_ONCE(*r->sh.prod) - old) >= r->size;
}

/**
 * ringbuf_wait_data() - announce that the consumer is about to wait
 * @r: ring, on the consumer's side
 * @want: bytes that it waits for, 1 to @r->size; without thresholds the peer
 *	only promises an event when an empty ring gets less empty
 *
 * Call it before sleeping, every time, and sleep only if it returns less than
 * wanted (without thresholds: 0).
 *
 * Context: any; calls on the consumer's side must not overlap.
 * Return: bytes there now, or -EPROTO.
 */
int ringbuf_wait_data(struct ringbuf *r, u32 want)
{
	if (r->sh.data_wake)
		WRITE_ONCE(*r->sh.data_wake, r->cons + want - 1);
	/* the threshold, and all published before, before the look again */
	virt_mb();
	return ringbuf_avail(r);
}
