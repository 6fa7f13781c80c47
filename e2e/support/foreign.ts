// A client of the native protocol that is not moim's page: in a mesh, with the larger id, and with
// a description of its own making.

import type { Page } from "@playwright/test";

export interface ForeignOptions {
  url: string;
  room: string;
  /** The kinds it has a section for in its first offer; with none it waits for one. */
  kinds: readonly ("audio" | "video")[];
  /** Its descriptions as other stacks write them: without msid, or with one of no stream. */
  msid?: "none" | "dash";
  /** It offers its video in a format alone that no browser has. */
  hasOddVideo?: boolean;
}

declare global {
  interface Window {
    foreign: RTCPeerConnection | undefined;
  }
}

/** Joins from a page of the server's that has no script; the other is to be in the room already. */
export async function joinForeign(page: Page, options: ForeignOptions): Promise<void> {
  await page.goto(`${options.url}/healthz`);
  await page.evaluate(run, options);
}

/** Kinds of media of which something has arrived. */
export function received(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const stats = [...((await window.foreign?.getStats()) ?? new Map()).values()];
    const inbound = stats.filter(({ type }) => type === "inbound-rtp");
    const came = inbound.filter(({ kind, framesDecoded, packetsReceived }) =>
      kind === "video" ? framesDecoded > 0 : packetsReceived > 0,
    );
    return came.map(({ kind }) => kind).sort();
  });
}

/** Self-contained: it is sent to the page as text. */
async function run({ url, room, kinds, msid, hasOddVideo }: ForeignOptions): Promise<void> {
  const { io } = await import(`${url}/socket.io/socket.io.esm.min.js`);
  // biome-ignore lint/suspicious/noExplicitAny: the bundle comes without types.
  let socket: any;
  let peer: RTCPeerConnection | undefined;
  let other = "";
  // The impolite end of the W3C's pattern, one step at a time.
  let steps: Promise<unknown> = Promise.resolve();
  const step = (run: () => Promise<unknown>) => {
    steps = steps.then(run).catch((error) => console.warn(String(error)));
  };
  const written = ({ type, sdp }: RTCSessionDescription) => {
    const plain = sdp
      .split("\r\n")
      .filter((line) => !/^a=(ssrc:\d+ msid|msid|msid-semantic)/.test(line) || msid === undefined);
    if (msid === "dash") {
      const at = plain.findIndex((line) => line.startsWith("a=sendrecv"));
      plain.splice(at, 0, "a=msid:- foreign");
    }
    const lines = hasOddVideo
      ? plain.map((line) => line.replace(/^(a=rtpmap:\d+) .*\/90000$/, "$1 ODD/90000"))
      : plain;
    return { type, sdp: lines.join("\r\n") };
  };
  const say = (signal: object) => socket.emit("signal", { to: other, ...signal }, () => {});
  const tell = () => peer?.localDescription && say({ description: written(peer.localDescription) });
  const hear = (signal: { description?: RTCSessionDescription; candidate?: object }) =>
    step(async () => {
      const { description, candidate } = signal;
      if (!peer) return;
      if (candidate) return peer.addIceCandidate(candidate);
      if (!description) return;
      if (description.type === "offer" && peer.signalingState !== "stable") return;
      await peer.setRemoteDescription(description);
      if (description.type !== "offer") return;
      await peer.setLocalDescription();
      tell();
    });

  // An id is drawn for each join, and a connection joins so often only: until it is the larger one.
  for (;;) {
    socket = io(url, { forceNew: true });
    socket.on("signal", hear);
    const { ok, error } = await socket.emitWithAck("room:join", {
      room,
      name: "Foreign",
      media: {
        mic: kinds.includes("audio"),
        camera: kinds.includes("video"),
        screen: false,
        hand: false,
      },
    });
    if (!ok) throw new Error(`room:join: ${error.code}: ${error.message}`);
    other = ok.participants[0].id;
    peer = new RTCPeerConnection({ iceServers: ok.iceServers });
    if (ok.self.id > other) break;
    peer.close();
    socket.disconnect();
  }
  window.foreign = peer;
  peer.onicecandidate = ({ candidate }) =>
    candidate?.candidate && say({ candidate: candidate.toJSON() });
  peer.onnegotiationneeded = () =>
    step(async () => {
      if (peer?.signalingState !== "stable") return;
      await peer.setLocalDescription();
      tell();
    });
  if (kinds.length === 0) return;
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: kinds.includes("audio"),
    video: kinds.includes("video"),
  });
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
}
