// SPDX-License-Identifier: GPL-2.0
// A server and its clients: HTTP, sockets that block, and channels with a selector.
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Peers {
	static final int HTTP = 9301, ECHO = 9302, NOBODY = 9309;

	static void http() throws IOException {
		HttpServer server = HttpServer.create(new InetSocketAddress(HTTP), 0);

		server.createContext("/echo", exchange -> {
			byte[] body = exchange.getRequestBody().readAllBytes();

			exchange.sendResponseHeaders(200, body.length);
			try (OutputStream out = exchange.getResponseBody()) {
				out.write(body);
			}
		});
		server.setExecutor(Executors.newFixedThreadPool(4));
		server.start();
	}

	// What was read and not written back is in the buffer; a channel at its end is read again when that is empty
	static void serve(SelectionKey key) throws IOException {
		SocketChannel channel = (SocketChannel) key.channel();
		ByteBuffer buffer = (ByteBuffer) key.attachment();
		boolean end = key.isReadable() && channel.read(buffer) < 0;

		buffer.flip();
		channel.write(buffer);
		buffer.compact();
		if (end && buffer.position() == 0) {
			channel.close();
			return;
		}
		key.interestOps((!end && buffer.hasRemaining() || buffer.position() == 0 ? SelectionKey.OP_READ : 0) |
				(buffer.position() > 0 ? SelectionKey.OP_WRITE : 0));
	}

	static void echo() throws IOException {
		Selector selector = Selector.open();
		ServerSocketChannel listener = ServerSocketChannel.open();

		listener.bind(new InetSocketAddress(ECHO));
		listener.configureBlocking(false);
		listener.register(selector, SelectionKey.OP_ACCEPT);
		System.out.println("ready");
		for (;;) {
			selector.select();
			for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext();) {
				SelectionKey key = keys.next();

				keys.remove();
				if (!key.isAcceptable()) {
					serve(key);
					continue;
				}
				SocketChannel channel = listener.accept();

				if (channel == null)
					continue;
				channel.configureBlocking(false);
				channel.register(selector, SelectionKey.OP_READ, ByteBuffer.allocate(65536));
			}
		}
	}

	static byte[] bytes(int seed, int n) {
		byte[] some = new byte[n];

		new Random(seed).nextBytes(some);
		return some;
	}

	static void expect(boolean right, String what) {
		if (right)
			return;
		System.out.println("FAIL: " + what);
		System.exit(1);
	}

	static void requests(String host) throws Exception {
		HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
		URI uri = URI.create("http://" + host + ":" + HTTP + "/echo");
		List<CompletableFuture<HttpResponse<byte[]>>> answers = new ArrayList<>();

		for (int i = 0; i < 40; i++)
			answers.add(client.sendAsync(HttpRequest.newBuilder(uri).POST(
				HttpRequest.BodyPublishers.ofByteArray(bytes(i, i * 5000 + 1))).build(),
				HttpResponse.BodyHandlers.ofByteArray()));
		for (int i = 0; i < 40; i++) {
			HttpResponse<byte[]> answer = answers.get(i).get();

			expect(answer.statusCode() == 200, "status " + answer.statusCode());
			expect(Arrays.equals(answer.body(), bytes(i, i * 5000 + 1)), "body of request " + i);
		}
	}

	// More than all buffers hold goes out while it comes back
	static void stream(String host, int seed) throws Exception {
		byte[] want = bytes(seed, 2000000);

		try (Socket socket = new Socket(host, ECHO)) {
			Thread writer = new Thread(() -> {
				try {
					socket.getOutputStream().write(want);
					socket.shutdownOutput();
				} catch (IOException error) {
					expect(false, "write: " + error);
				}
			});

			socket.setTcpNoDelay(true);
			expect(socket.getTcpNoDelay(), "TCP_NODELAY");
			writer.start();
			InputStream in = socket.getInputStream();
			byte[] have = in.readNBytes(want.length);

			expect(Arrays.equals(have, want), "stream " + seed);
			expect(in.read() < 0, "no end");
			writer.join();
		}
	}

	static void errors(String host) throws Exception {
		try (Socket socket = new Socket(host, NOBODY)) {
			expect(false, "somebody is there");
		} catch (ConnectException error) {
			expect(error.getMessage().contains("refused"), error.toString());
		}
		try (Socket socket = new Socket(host, ECHO)) {
			socket.setSoTimeout(300);
			socket.getInputStream().read();
			expect(false, "a byte from nowhere");
		} catch (SocketTimeoutException error) {
			System.out.println("timeout and refusal");
		}
		Socket socket = new Socket(host, ECHO);
		Thread closer = new Thread(() -> {
			try {
				Thread.sleep(300);
				socket.close();
			} catch (Exception error) {
				expect(false, "close: " + error);
			}
		});

		closer.start();
		try {
			socket.getInputStream().read();
			expect(false, "read of what is closed meanwhile");
		} catch (IOException error) {
			expect(error.getMessage().contains("closed"), error.toString());
		}
	}

	static void client(String host) throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(8);
		List<Future<?>> streams = new ArrayList<>();

		requests(host);
		System.out.println("requests");
		for (int i = 0; i < 8; i++) {
			int seed = i;

			streams.add(threads.submit(() -> {
				stream(host, seed);
				return null;
			}));
		}
		for (Future<?> stream : streams)
			stream.get();
		System.out.println("streams");
		errors(host);
		System.out.println("ok");
		System.exit(0);
	}

	public static void main(String[] args) throws Exception {
		if (args[0].equals("client")) {
			client(args[1]);
			return;
		}
		http();
		echo();
	}
}
