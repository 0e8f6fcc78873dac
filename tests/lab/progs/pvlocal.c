// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's own loopback stays in the guest. A service says in a line where
 * it runs, so a connection that ends up elsewhere is seen.
 *
 *   pvlocal --serve ADDRESS PORT WORD   says WORD to everybody; "ready" first
 *   pvlocal --hold PORT                 bind and listen: the error, or "ready"
 *   pvlocal ADDRESS PORT [CHECK]...     as the others, ADDRESS is Dom0's pvpeer
 *
 * In Dom0 there must be "pvlocal --serve 127.0.0.1 7777 dom0".
 */
#define _GNU_SOURCE
#include "sem.h"

#define DOM0_PORT	7777

static struct sockaddr_storage to_addr(const char *text, int port,
				       socklen_t *len)
{
	struct sockaddr_storage ss = {};
	struct sockaddr_in6 *a6 = (void *)&ss;
	struct sockaddr_in *a4 = (void *)&ss;

	a4->sin_port = htons(port);
	ss.ss_family = AF_INET;
	*len = sizeof(*a4);
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1)
		return ss;
	ss.ss_family = AF_INET6;
	*len = sizeof(*a6);
	if (inet_pton(AF_INET6, text, &a6->sin6_addr) != 1)
		fprintf(stderr, "%s: no address\n", text);
	return ss;
}

static int listen_at(const char *text, int port)
{
	socklen_t len;
	struct sockaddr_storage ss = to_addr(text, port, &len);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (void *)&ss, len) || listen(fd, 100))
		return -errno;
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);

	EXPECT("getsockname", 0, getsockname(fd, (void *)&a, &len));
	return ntohs(a.sin6_port);
}

struct service {
	int fd;
	const char *word;
};

static void *serve(void *arg)
{
	struct service *s = arg;
	int fd;

	for (;;) {
		fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		send(fd, s->word, strlen(s->word), MSG_NOSIGNAL);
		close(fd);
	}
}

static int serve_at(const char *text, int port, const char *word)
{
	struct service *s = malloc(sizeof(*s));
	pthread_t thread;

	s->word = word;
	s->fd = listen_at(text, port);
	if (s->fd < 0)
		return s->fd;
	pthread_create(&thread, NULL, serve, s);
	return s->fd;
}

/* 0 if the service there says @word, or why it can't be asked */
static long ask(const char *text, int port, const char *word)
{
	char said[40] = "", *p = said;
	socklen_t len;
	struct sockaddr_storage ss = to_addr(text, port, &len);
	int fd = socket(ss.ss_family, SOCK_STREAM, 0);
	long n;

	if (connect(fd, (void *)&ss, len)) {
		n = -errno;
		close(fd);
		return n;
	}
	while ((n = recv(fd, p, said + sizeof(said) - 1 - p, 0)) > 0)
		p += n;
	close(fd);
	if (strcmp(said, word)) {
		sem_fail("%s port %d is served by \"%s\"", text, port, said);
		return -EBADMSG;
	}
	return n < 0 ? -errno : 0;
}

static void case_own_service(void)
{
	int fd = serve_at("127.0.0.1", 0, "guest"), port = port_of(fd);

	EXPECT("127.0.0.1", 0, ask("127.0.0.1", port, "guest"));
	EXPECT("::ffff:127.0.0.1", 0, ask("::ffff:127.0.0.1", port, "guest"));
	EXPECT("0.0.0.0", 0, ask("0.0.0.0", port, "guest"));
	EXPECT("127.0.0.2, nobody", -ECONNREFUSED,
	       ask("127.0.0.2", port, "guest"));
	EXPECT("Dom0 to its own", -ECONNREFUSED,
	       peer("dial own 127.0.0.1 %d", port));
	EXPECT("Dom0 to it", -ECONNREFUSED,
	       peer("dial own %s %d", peer_ip(), port));
}

static void case_own_service_v6(void)
{
	int fd = serve_at("::1", 0, "guest"), port = port_of(fd);

	EXPECT("::1", 0, ask("::1", port, "guest"));
	EXPECT("Dom0 to its own", -ECONNREFUSED,
	       peer("dial own ::1 %d", port));
	EXPECT("Dom0 to it", -ECONNREFUSED,
	       peer("dial own %s %d", peer_ip(), port));
}

/* Dom0 has a service on its 127.0.0.1, at a port that we have nothing at */
static void case_dom0_service(void)
{
	EXPECT("it is there", 0, peer("dial dom0 127.0.0.1 %d", DOM0_PORT));
	EXPECT("127.0.0.1", -ECONNREFUSED, ask("127.0.0.1", DOM0_PORT, ""));
	EXPECT("127.1.2.3", -ECONNREFUSED, ask("127.1.2.3", DOM0_PORT, ""));
	EXPECT("0.0.0.0", -ECONNREFUSED, ask("0.0.0.0", DOM0_PORT, ""));
	EXPECT("::1", -ECONNREFUSED, ask("::1", DOM0_PORT, ""));
	EXPECT("::", -ECONNREFUSED, ask("::", DOM0_PORT, ""));
	EXPECT("::ffff:127.0.0.1", -ECONNREFUSED,
	       ask("::ffff:127.0.0.1", DOM0_PORT, ""));
}

/* Both have one at the same port. */
static void case_same_port(void)
{
	int fd = serve_at("127.0.0.1", DOM0_PORT, "guest");

	TRUE("the port is free here", fd >= 0);
	EXPECT("127.0.0.1", 0, ask("127.0.0.1", DOM0_PORT, "guest"));
	EXPECT("Dom0's is Dom0's", 0,
	       peer("dial dom0 127.0.0.1 %d", DOM0_PORT));
	EXPECT("it says 4 bytes, wrong ones", -EILSEQ, peer("recv dom0 4"));
}

static void any_address(const char *any)
{
	int fd = listen_at(any, 0), port = port_of(fd), i, c, from;
	struct sockaddr_in6 a;
	socklen_t len;

	for (i = 0; i < 10; i++) {
		/* within and from Dom0 in turn, to one accept() */
		int in = socket(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_storage ss = to_addr("127.0.0.1", port, &len);

		if (i & 1)
			MUST("within", 0, connect(in, (void *)&ss, len));
		else
			MUST("from Dom0", 0, peer("dial any%d %s %d", i,
						  peer_ip(), port));
		from = i & 1 ? port_of(in) : sem_extra;
		EXPECT("poll", POLLIN, poll_now(fd, POLLIN, 5000));
		len = sizeof(a);
		c = GET("accept", accept(fd, (void *)&a, &len));
		EXPECT("the peer's port", from, ntohs(a.sin6_port));
		MUST("to it", 1000, i & 1 ? put_bytes(in, 1000, 0) :
					    peer("send any%d 1000", i));
		EXPECT("from it", 1000, get_bytes(c, 1000, 0));
		MUST("back", 1000, put_bytes(c, 1000, 0));
		EXPECT("back there", 1000, i & 1 ? get_bytes(in, 1000, 0) :
						   peer("recv any%d 1000", i));
		close(c);
		EXPECT("the end there", 0, i & 1 ? get_bytes(in, 1, 1000) :
						   peer("drain any%d", i));
		close(in);
	}
	close(fd);
	sem_step = "until Dom0 sees no listener";
	while (peer("dial late %s %d", peer_ip(), port) != -ECONNREFUSED)
		usleep(10000);
	EXPECT("within", -ECONNREFUSED, ask("127.0.0.1", port, ""));
}

static void case_any_address(void)
{
	any_address("0.0.0.0");
}

static void case_any_address_v6(void)
{
	any_address("::");
}

#define THREADS	4

static long call_accept_both(struct blocked *b)
{
	int fd = accept(b->fd, NULL, NULL);

	if (fd < 0)
		return -errno;
	return RC(send(fd, "guest", 5, MSG_NOSIGNAL)) == 5 ? close(fd) : -EPIPE;
}

/* Threads in accept() on it wake for both kinds. */
static void case_accept_both(void)
{
	struct blocked b[THREADS];
	int fd = listen_at("0.0.0.0", 0), port = port_of(fd), i;

	for (i = 0; i < THREADS; i++)
		blocked_start(&b[i], fd, call_accept_both);
	for (i = 0; i < THREADS; i++)
		if (i & 1)
			EXPECT("within", 0, ask("127.0.0.1", port, "guest"));
		else
			MUST("from Dom0", 0, peer("dial both%d %s %d", i,
						  peer_ip(), port));
	for (i = 0; i < THREADS; i++)
		EXPECT("accept", 0, blocked_end(&b[i], "accept of both kinds"));
}

static const struct check checks[] = {
	{ "own_service", case_own_service },
	{ "own_service_v6", case_own_service_v6 },
	{ "dom0_service", case_dom0_service },
	{ "same_port", case_same_port },
	{ "any_address", case_any_address },
	{ "any_address_v6", case_any_address_v6 },
	{ "accept_both", case_accept_both },
};

int main(int argc, char **argv)
{
	struct service s;

	if (argc == 5 && !strcmp(argv[1], "--serve")) {
		s.word = argv[4];
		s.fd = listen_at(argv[2], atoi(argv[3]));
		if (s.fd < 0) {
			printf("%s\n", strerrorname_np(-s.fd));
			return 1;
		}
		puts("ready");
		fflush(stdout);
		serve(&s);
		return 1;
	}
	if (argc == 3 && !strcmp(argv[1], "--hold")) {
		s.fd = listen_at("0.0.0.0", atoi(argv[2]));
		puts(s.fd < 0 ? strerrorname_np(-s.fd) : "ready");
		fflush(stdout);
		if (s.fd >= 0)
			pause();
		return 1;
	}
	return checks_main(argc, argv,
			   "The guest's own loopback stays in the guest.\n"
			   "Also: pvlocal --serve ADDRESS PORT WORD, pvlocal --hold PORT",
			   checks, ARRAY_SIZE(checks));
}
