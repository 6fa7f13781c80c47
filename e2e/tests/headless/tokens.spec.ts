// R1: moim accepts the join tokens that LiveKit's server SDKs make, and refuses the wrong ones.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AccessToken, TrackSource, type VideoGrant } from "livekit-server-sdk";
import { io, type Socket } from "socket.io-client";
import { python } from "../../headless/python-client.ts";
import { freePort, Server } from "../../support/server.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const KEY = "app";
const SECRET = "0123456789abcdef0123456789abcdef";

let server: Server;
const sockets: Socket[] = [];

test.beforeAll(async () => {
  server = await Server.start({ flags: ["--api-key", `${KEY}:${SECRET}`, "--create", "api"] });
});

test.afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

test.afterAll(() => server.stop());

interface Reply {
  ok?: { self: { name: string; role: string; media: { camera: boolean } } };
  error?: { code: string; message: string };
}

async function enter(room: string, token?: string): Promise<Reply> {
  const socket = io(server.url, { forceNew: true });
  sockets.push(socket);
  const media = { mic: true, camera: true, screen: false, hand: false };
  return socket.emitWithAck("room:join", { room, name: "Guest", media, token });
}

function byNode(grant: VideoGrant, ttl: string | number = "10m"): Promise<string> {
  const token = new AccessToken(KEY, SECRET, { identity: "node", name: "Made in Node", ttl });
  token.addGrant(grant);
  return token.toJwt();
}

function byPython(grants: Record<string, unknown>): string {
  const script = join(import.meta.dirname, "../../headless/livekit_token.py");
  const args = [script, KEY, SECRET, JSON.stringify(grants)];
  return execFileSync(python(), args, { encoding: "utf8" }).trim();
}

test("a token of LiveKit's Node SDK joins its room and no other", async () => {
  expect((await enter("tea")).error?.code).toBe("api_only");
  const host = await byNode({ roomJoin: true, room: "tea", roomAdmin: true });
  expect((await enter("tea", host)).ok?.self).toMatchObject({ name: "Made in Node", role: "host" });
  expect((await enter("milk", host)).error?.code).toBe("wrong_room");
  const canPublishSources = [TrackSource.MICROPHONE];
  const speaker = await byNode({ roomJoin: true, room: "tea", canPublishSources });
  expect((await enter("tea", speaker)).ok?.self).toMatchObject({
    role: "speaker",
    media: { mic: true, camera: false },
  });
  const viewer = await byNode({ roomJoin: true, room: "tea", canPublish: false });
  expect((await enter("tea", viewer)).ok?.self.role).toBe("viewer");
});

test("an expired token of LiveKit's Node SDK is refused with both clocks", async () => {
  const expired = await enter("tea", await byNode({ roomJoin: true, room: "tea" }, -120));
  expect(expired.error?.code).toBe("token_expired");
  expect(expired.error?.message).toMatch(/expired at 20.*this server shows 20/);
  const forged = new AccessToken(KEY, SECRET.replace("0", "x"), { identity: "node" });
  forged.addGrant({ roomJoin: true, room: "tea" });
  expect((await enter("tea", await forged.toJwt())).error?.code).toBe("invalid_token");
});

test("a token of LiveKit's Python SDK joins its room and no other", async () => {
  const token = byPython({ room_join: true, room: "cake" });
  expect((await enter("cake", token)).ok?.self).toMatchObject({
    name: "Made in Python",
    role: "speaker",
  });
  expect((await enter("tea", token)).error?.code).toBe("wrong_room");
  const viewer = byPython({ room_join: true, room: "cake", can_publish: false });
  expect((await enter("cake", viewer)).ok?.self.role).toBe("viewer");
});

test("the example of docs/embedding.md sends each person into the room with their role", async () => {
  // Below this folder, where its dependency is installed.
  const folder = join(import.meta.dirname, "../../results/embedding");
  mkdirSync(folder, { recursive: true });
  cpSync(join(import.meta.dirname, "../../../docs/examples/embedding"), folder, {
    recursive: true,
  });
  const port = await freePort();
  const env = { MOIM_URL: server.url, MOIM_KEY: KEY, MOIM_SECRET: SECRET, PORT: String(port) };
  const site = spawn(process.execPath, [join(folder, "server.js")], {
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  try {
    const visit = async (as: string) => {
      const url = `http://127.0.0.1:${port}/lessons/maths?as=${as}`;
      const { status, headers } = await fetch(url, { redirect: "manual" });
      return { status, location: headers.get("location") };
    };
    const visited = await until("the site to answer", async () => ({
      done: await visit("ms_kim").catch(() => undefined),
    }));
    const [page, token] = visited.location!.split("#token=");
    expect(page).toBe(`${server.url}/r/maths`);
    expect((await enter("maths", token)).ok?.self).toMatchObject({ name: "Kim", role: "host" });
    const pupil = (await visit("ann")).location!.split("#token=")[1];
    expect((await enter("maths", pupil)).ok?.self).toMatchObject({ name: "Ann", role: "speaker" });
    expect((await visit("ben")).status).toBe(403);
  } finally {
    site.kill();
    await once(site, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
});
