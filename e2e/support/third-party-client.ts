// A third-party client of the native protocol: in a mesh, with the larger id (so that it makes the
// first offer), and with session descriptions that differ from a browser's.

import type { Page } from "@playwright/test";

export interface ThirdPartyOptions {
  url: string;
  room: string;
  /** Media kinds in its first offer; with none it waits for an offer. */
  kinds: readonly ("audio" | "video")[];
  /** Writes descriptions without `a=msid`, or with `a=msid:-` (no stream), as other stacks do. */
  msid?: "none" | "dash";
  /** Offers video only in a codec that no browser supports. */
  hasUnknownCodec?: boolean;
}

declare global {
  interface Window {
    thirdParty: RTCPeerConnection | undefined;
  }
}

/** Joins from a page of the server that has no script. The other participant must already be in. */
export async function joinThirdParty(page: Page, options: ThirdPartyOptions): Promise<void> {
  await page.goto(`${options.url}/healthz`);
  await page.evaluate(run, options);
}

/** Kinds of media that the client has received. */
export function received(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const stats = [...((await window.thirdParty?.getStats()) ?? new Map()).values()];
    const inbound = stats.filter(({ type }) => type === "inbound-rtp");
    const active = inbound.filter(({ kind, framesDecoded, packetsReceived }) =>
      kind === "video" ? framesDecoded > 0 : packetsReceived > 0,
    );
    return active.map(({ kind }) => kind).sort();
  });
}

/** Self-contained: it is sent to the page as text. */
async function run({ url, room, kinds, msid, hasUnknownCodec }: ThirdPartyOptions): Promise<void> {
  const { io } = await import(`${url}/socket.io/socket.io.esm.min.js`);
  // biome-ignore lint/suspicious/noExplicitAny: the bundle comes without types.
  let socket: any;
  let peer: RTCPeerConnection | undefined;
  let other = "";
  // The impolite peer of perfect negotiation. Steps run one after the other.
  let queue: Promise<unknown> = Promise.resolve();
  const enqueue = (step: () => Promise<unknown>) => {
    queue = queue.then(step).catch((error) => console.warn(String(error)));
  };
  const rewrite = ({ type, sdp }: RTCSessionDescription) => {
    const lines = sdp
      .split("\r\n")
      .filter((line) => !/^a=(ssrc:\d+ msid|msid|msid-semantic)/.test(line) || msid === undefined);
    if (msid === "dash") {
      const at = lines.findIndex((line) => line.startsWith("a=sendrecv"));
      lines.splice(at, 0, "a=msid:- third-party");
    }
    const rewritten = hasUnknownCodec
      ? lines.map((line) => line.replace(/^(a=rtpmap:\d+) .*\/90000$/, "$1 ODD/90000"))
      : lines;
    return { type, sdp: rewritten.join("\r\n") };
  };
  const send = (signal: object) => socket.emit("signal", { to: other, ...signal }, () => {});
  const sendDescription = () =>
    peer?.localDescription && send({ description: rewrite(peer.localDescription) });
  const onSignal = (signal: { description?: RTCSessionDescription; candidate?: object }) =>
    enqueue(async () => {
      const { description, candidate } = signal;
      if (!peer) return;
      if (candidate) return peer.addIceCandidate(candidate);
      if (!description) return;
      if (description.type === "offer" && peer.signalingState !== "stable") return;
      await peer.setRemoteDescription(description);
      if (description.type !== "offer") return;
      await peer.setLocalDescription();
      sendDescription();
    });

  // Reconnects until its id is the larger one: ids are random, and joins per socket are limited.
  for (;;) {
    socket = io(url, { forceNew: true });
    socket.on("signal", onSignal);
    const { ok, error } = await socket.emitWithAck("room:join", {
      room,
      name: "Third party",
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
  window.thirdParty = peer;
  peer.onicecandidate = ({ candidate }) =>
    candidate?.candidate && send({ candidate: candidate.toJSON() });
  peer.onnegotiationneeded = () =>
    enqueue(async () => {
      if (peer?.signalingState !== "stable") return;
      await peer.setLocalDescription();
      sendDescription();
    });
  if (kinds.length === 0) return;
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: kinds.includes("audio"),
    video: kinds.includes("video"),
  });
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
}
