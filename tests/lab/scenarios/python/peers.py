# SPDX-License-Identifier: GPL-2.0
"""Servers and their clients with Python's own means. peers.py server | client HOST"""

import asyncio
import hashlib
import http.server
import os
import random
import socket
import socketserver
import ssl
import sys
import threading
import urllib.request

ASYNC, TLS, THREADS, HTTP, DUAL = range(9001, 9006)
CLIENTS, ROUNDS = 50, 20


async def echo(reader, writer):
    """Sends back what comes, until the other side has no more."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    writer.close()


class Upper(socketserver.StreamRequestHandler):
    """Lines in capitals."""

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Threads(socketserver.ThreadingTCPServer):
    """A thread for each."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class Dual(Threads):
    """On IPv6, for IPv4 as well, as Go and Java do it."""
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class Web(http.server.SimpleHTTPRequestHandler):
    """Files, and what is posted."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hashlib.sha256(data).hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(digest)))
        self.end_headers()
        self.wfile.write(digest)

    def log_message(self, *_):
        pass


async def serve():
    """All servers; says so when they listen."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/tmp/cert.pem", "/tmp/key.pem")
    servers = [await asyncio.start_server(echo, "0.0.0.0", ASYNC, backlog=128),
               await asyncio.start_server(tls_echo, "0.0.0.0", TLS, ssl=context, backlog=128)]
    os.chdir("/tmp/www")
    for server in (Threads(("", THREADS), Upper), Dual(("::", DUAL), Upper),
                   http.server.ThreadingHTTPServer(("", HTTP), Web)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def tls_echo(reader, writer):
    """As echo, but TLS has no half of a connection."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def talk(host, port, context):
    """One client: what it sends in pieces must come back the same."""
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    rng = random.Random(port)
    for _ in range(ROUNDS):
        data = rng.randbytes(rng.choice((1, 100, 1000, 5000)))
        writer.write(data)
        await writer.drain()
        assert await reader.readexactly(len(data)) == data
    if context is None:
        writer.write_eof()
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def talk_all(host):
    """Many at a time, with and without TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    await asyncio.gather(*(talk(host, ASYNC, None) for _ in range(CLIENTS)))
    await asyncio.gather(*(talk(host, TLS, context) for _ in range(10)))


def lines(host, port):
    """The threads' servers, with buffered files on a socket and a time limit."""
    with socket.create_connection((host, port), timeout=20) as sock, sock.makefile("rw") as file:
        for number in range(100):
            file.write(f"line {number}\n")
            file.flush()
            assert file.readline() == f"LINE {number}\n"


def web(host):
    """urllib, a file and a POST."""
    with urllib.request.urlopen(f"http://{host}:{HTTP}/file", timeout=60) as answer:
        digest = hashlib.sha256(answer.read()).hexdigest()
    with open("/tmp/want") as file:
        assert digest == file.read().split()[0], "the file differs"
    data = random.Random(1).randbytes(3_000_000)
    with urllib.request.urlopen(f"http://{host}:{HTTP}/", data=data, timeout=60) as answer:
        assert answer.read().decode() == hashlib.sha256(data).hexdigest(), "what was posted differs"


def refused(host):
    """Exceptions are what they are on TCP."""
    try:
        socket.create_connection((host, 9), timeout=10)
    except ConnectionRefusedError:
        return
    raise AssertionError("nobody listens there")


def client(host):
    """All clients, one after the other."""
    for name, run in (("asyncio", lambda: asyncio.run(talk_all(host))),
                      ("threads", lambda: lines(host, THREADS)), ("dual", lambda: lines(host, DUAL)),
                      ("http", lambda: web(host)), ("refused", lambda: refused(host))):
        run()
        print(name, "ok", flush=True)


if sys.argv[1] == "server":
    asyncio.run(serve())
else:
    client(sys.argv[2])
