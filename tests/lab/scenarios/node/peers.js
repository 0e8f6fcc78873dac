// SPDX-License-Identifier: GPL-2.0
// An HTTP server and its clients: peers.js server | client HOST
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const http = require('http');
const net = require('net');

const PORT = 9101, ECHO = 9102, CLIENTS = 50, REQUESTS = 1000, SIZE = 8 << 20;

function digest(data)
{
	return crypto.createHash('sha256').update(data).digest('hex');
}

// without a host, Node listens on IPv6 for both
function server()
{
	const web = http.createServer((request, response) => {
		const hash = crypto.createHash('sha256');
		request.on('data', (data) => hash.update(data));
		request.on('end', () => response.end(hash.digest('hex')));
	});
	const echo = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
	web.listen(PORT, () => echo.listen(ECHO, () => console.log('ready')));
}

function post(agent, host, data)
{
	return new Promise((resolve, reject) => {
		const request = http.request({ agent, host, port: PORT, method: 'POST' }, (response) => {
			let text = '';
			response.on('data', (part) => { text += part; });
			response.on('end', () => resolve(text));
		});
		request.on('error', reject);
		request.end(data);
	});
}

async function client(host)
{
	const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
	let left = REQUESTS;
	await Promise.all(Array.from({ length: CLIENTS }, async () => {
		while (left-- > 0) {
			const data = Buffer.from(`request ${left}`);
			assert.strictEqual(await post(agent, host, data), digest(data));
		}
	}));
	console.log('keep-alive ok');
	const large = crypto.randomBytes(SIZE);
	assert.strictEqual(await post(agent, host, large), digest(large));
	agent.destroy();
	console.log('large ok');
	await new Promise((resolve, reject) => {
		const socket = net.connect(ECHO, host, () => socket.end(large));
		const hash = crypto.createHash('sha256');
		socket.on('data', (data) => hash.update(data));
		socket.on('error', reject);
		socket.on('end', () => {
			assert.strictEqual(hash.digest('hex'), digest(large));
			resolve();
		});
	});
	console.log('half-close ok');
	await new Promise((resolve, reject) => {
		net.connect(9, host, () => reject(new Error('nobody listens there'))).on('error', (error) => {
			assert.strictEqual(error.code, 'ECONNREFUSED');
			resolve();
		});
	});
	console.log('refused ok');
}

if (process.argv[2] === 'server')
	server();
else
	client(process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
