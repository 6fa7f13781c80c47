// Records the video and audio that headless participants publish: a drawing and a chord of our own,
// encoded by the system's Chromium. Run from e2e/, whose packages it borrows:
//
//   node ../crates/headless/media/record.mjs
//
// camera-*.ivf: VP8, 25 frames a second, a keyframe first and none after it. voice.opus-packets: Opus,
// 48 kHz mono, 20 ms a packet, each behind its length (two bytes, big-endian).

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.cwd(), "package.json"))("@playwright/test");
const SIZES = [
  { width: 320, height: 180, bitrate: 60_000 },
  { width: 640, height: 360, bitrate: 120_000 },
  { width: 1280, height: 720, bitrate: 240_000 },
];
const RATE = 25;
const SECONDS = 4;

const server = createServer((_, response) => response.end("<!doctype html>"));
await new Promise((resume) => server.listen(0, "127.0.0.1", resume));
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}`);

for (const size of SIZES) {
  const frames = await page.evaluate(record, { ...size, rate: RATE, count: RATE * SECONDS });
  writeFileSync(join(import.meta.dirname, `camera-${size.height}.ivf`), ivf(size, frames));
}
const packets = await page.evaluate(sing, { seconds: SECONDS });
const voice = packets.map((packet) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, Buffer.from(packet)]);
});
writeFileSync(join(import.meta.dirname, "voice.opus-packets"), Buffer.concat(voice));
await browser.close();
server.close();

function ivf({ width, height }, frames) {
  const head = Buffer.alloc(32);
  head.write("DKIF", 0);
  head.writeUInt16LE(32, 6);
  head.write("VP80", 8);
  head.writeUInt16LE(width, 12);
  head.writeUInt16LE(height, 14);
  head.writeUInt32LE(RATE, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(frames.length, 24);
  const parts = frames.map((frame, index) => {
    const before = Buffer.alloc(12);
    before.writeUInt32LE(frame.length, 0);
    before.writeBigUInt64LE(BigInt(index), 4);
    return Buffer.concat([before, Buffer.from(frame)]);
  });
  return Buffer.concat([head, ...parts]);
}

async function record({ width, height, bitrate, rate, count }) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  const frames = [];
  const encoder = new VideoEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push([...bytes]);
    },
    error: (error) => {
      throw error;
    },
  });
  encoder.configure({ codec: "vp8", width, height, bitrate, framerate: rate, latencyMode: "realtime" });
  for (let index = 0; index < count; index++) {
    const turn = (index / count) * 2 * Math.PI;
    pen.fillStyle = "#1d2b3a";
    pen.fillRect(0, 0, width, height);
    for (let guest = 0; guest < 5; guest++) {
      const angle = turn + (guest * 2 * Math.PI) / 5;
      pen.fillStyle = `hsl(${guest * 72} 70% 60%)`;
      pen.beginPath();
      const reach = height * 0.3;
      pen.arc(width / 2 + reach * Math.cos(angle), height / 2 + reach * Math.sin(angle), height * 0.1, 0, 7);
      pen.fill();
    }
    const frame = new VideoFrame(canvas, { timestamp: (index * 1e6) / rate });
    encoder.encode(frame, { keyFrame: index === 0 });
    frame.close();
    await encoder.flush();
  }
  encoder.close();
  return frames;
}

async function sing({ seconds }) {
  const packets = [];
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      packets.push([...bytes]);
    },
    error: (error) => {
      throw error;
    },
  });
  encoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: 1, bitrate: 32_000 });
  const data = new Float32Array(48000 * seconds);
  for (let index = 0; index < data.length; index++) {
    const time = index / 48000;
    // Whole periods in a second, so that the end meets the beginning.
    for (const pitch of [220, 277, 330]) data[index] += 0.1 * Math.sin(2 * Math.PI * pitch * time);
  }
  encoder.encode(
    new AudioData({ format: "f32", sampleRate: 48000, numberOfFrames: data.length, numberOfChannels: 1, timestamp: 0, data }),
  );
  await encoder.flush();
  encoder.close();
  return packets;
}
