// Connecting through proxies that swallow WebSockets, with the real Socket.IO client. Plain
// JavaScript, since the page is compiled without the types of Node.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { openSocket } from "./signaling.ts";

const WEBSOCKET_TIMEOUT_MS = 100;

let server;
let socket;
const sockets = new Set();

afterEach(() => {
  socket?.disconnect();
  for (const open of sockets) open.destroy();
  server.close();
});

/** Starts an Engine.IO server with polling; `onUpgrade` handles upgrade requests. */
async function listen(onUpgrade) {
  const seen = [];
  let polls = 0;
  server = createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    seen.push(`${request.method} ${query.get("transport")}`);
    if (request.method === "POST") return response.end("ok");
    if (!query.has("sid")) {
      const open = { sid: "s", upgrades: [], pingInterval: 25000, pingTimeout: 20000 };
      return response.end(`0${JSON.stringify({ ...open, maxPayload: 1000000 })}`);
    }
    polls += 1;
    // The answer to CONNECT; later polls stay pending.
    if (polls === 1) response.end('40{"sid":"c"}');
    return;
  });
  server.on("connection", (stream) => sockets.add(stream));
  server.on("upgrade", (request, stream) => {
    seen.push("upgrade");
    onUpgrade(request, stream);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

function connected(url) {
  socket = openSocket(url, WEBSOCKET_TIMEOUT_MS);
  const connection = new Promise((resolve) => socket?.on("connect", () => resolve()));
  socket.connect();
  return connection;
}

test("a swallowed upgrade request falls back to polling", async () => {
  const { url, seen } = await listen(() => {});
  await connected(url);
  expect(seen[0]).toBe("upgrade");
  expect(seen).toContain("POST polling");
});

test("a WebSocket whose messages are swallowed falls back to polling", async () => {
  const { url, seen } = await listen((request, stream) => {
    const accept = acceptOf(request.headers["sec-websocket-key"] ?? "");
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const open = `0${JSON.stringify({ sid: "w", upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 })}`;
    stream.write(Buffer.concat([Buffer.from([0x81, open.length]), Buffer.from(open)]));
  });
  await connected(url);
  expect(seen[0]).toBe("upgrade");
  expect(seen).toContain("POST polling");
});

function acceptOf(key) {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
