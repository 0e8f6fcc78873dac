// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that are closed before their last bytes have gone, and datagrams
 * that nobody reads.
 *
 *   pvlast serve PORT READY             accepts, says so in the file READY, and never reads
 *   pvlast send ADDRESS PORT N BYTES    N times: connects, writes so many bytes, closes
 *   pvlast flood ADDRESS FIRST LAST N BYTES  N times: sends a datagram of so many to each of these ports
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(int port, const char *ready)
{
	struct sockaddr_in on = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	FILE *f;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&on, sizeof(on)) || listen(fd, 128)) {
		perror("pvlast");
		return 1;
	}
	f = fopen(ready, "w");
	if (!f || fputs("listens\n", f) < 0 || fclose(f)) {
		perror(ready);
		return 1;
	}
	while (accept(fd, NULL, NULL) >= 0)
		;
	perror("accept");
	return 1;
}

static int send_last(const char *address, int port, int n, size_t bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	char *data = calloc(1, bytes);
	int fd;

	if (!data || !inet_aton(address, &to.sin_addr))
		return 2;
	while (n--) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (void *)&to, sizeof(to)) || write(fd, data, bytes) != (ssize_t)bytes) {
			perror("pvlast");
			return 1;
		}
		close(fd);
	}
	return 0;
}

static int flood(const char *address, int first, int last, int n, size_t bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), port;
	static char data[65000];

	if (bytes > sizeof(data) || !inet_aton(address, &to.sin_addr))
		return 2;
	while (n--) {
		for (port = first; port <= last; port++) {
			to.sin_port = htons(port);
			/* what finds no room is lost, which nobody is told */
			if (sendto(fd, data, bytes, 0, (void *)&to, sizeof(to)) < 0) {
				perror("pvlast");
				return 1;
			}
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]), argv[3]);
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_last(argv[2], atoi(argv[3]), atoi(argv[4]), atol(argv[5]));
	if (argc == 7 && !strcmp(argv[1], "flood"))
		return flood(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atol(argv[6]));
	fputs("usage: pvlast serve PORT READY\n"
	      "       pvlast send ADDRESS PORT N BYTES\n"
	      "       pvlast flood ADDRESS FIRST LAST N BYTES\n", stderr);
	return 2;
}
