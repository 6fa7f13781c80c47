// Two Socket.IO clients that only poll, in one room: node polling.cjs URL MESSAGES CLIENT CLIENT.
// Run in a folder with the clients' packages. Each changes something MESSAGES times, one after the
// other, of which both are told. Prints what each received.
"use strict";
const { createRequire } = require("node:module");
const load = createRequire(`${process.cwd()}/`);
const [url, count, ...packages] = process.argv.slice(2);
const messages = Number(count);

function connect(name) {
  const io = load(name);
  const socket = io(url, { transports: ["polling"], upgrade: false, reconnection: false });
  const client = { client: name, received: 0, wrong: 0, broken: 0, others: 0, socket };
  let hand = false;
  let last = 0;
  socket.on("participant:updated", (told, number) => {
    client.received += 1;
    if (number <= last || told.media.hand === hand) client.wrong += 1;
    last = number;
    hand = told.media.hand;
    if (socket.io.engine.transport.name !== "polling") client.others += 1;
  });
  for (const end of ["disconnect", "connect_error", "error"]) {
    socket.on(end, () => {
      client.broken += 1;
    });
  }
  return client;
}

function request(client, event, payload) {
  return new Promise((resolve, reject) => {
    client.socket.emit(event, payload, (reply) => {
      if (reply.ok) resolve(reply.ok);
      else reject(new Error(`${client.client}: ${event}: ${JSON.stringify(reply)}`));
    });
  });
}

async function talk(client) {
  for (let turn = 0; turn < messages; turn += 1) {
    await request(client, "media", { mic: true, camera: false, screen: false, hand: turn % 2 === 0 });
  }
}

async function main() {
  const clients = packages.map(connect);
  for (const client of clients) {
    await request(client, "room:join", { room: "tea", name: client.client });
  }
  await Promise.all(clients.map(talk));
  // The last event may come after the last answer of the other one.
  const end = Date.now() + 20_000;
  while (clients.some((client) => client.received < messages) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.log(JSON.stringify(clients.map(({ socket, ...told }) => told)));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
