/** Peer connections of the examination, each for one question. */

import { onlyTransport, type ProbeTransport } from "./candidates.ts";
import {
  isWhole,
  newEchoLog,
  nextMessage,
  type PathFacts,
  pathFacts,
  SMALL_INTERVAL_MS,
  takeEcho,
} from "./echo-log.ts";
import type { Attempt } from "./facts.ts";
import type { Gathered } from "./nat.ts";

/** Time for the last echoes to arrive. */
const LAST_ECHO_MS = 800;
/** Time after gathering in which a pair of the same family is there, if there is any. */
const PAIR_MS = 600;

/** Opens a probe peer; null if the server has none left. */
async function postOffer(offer: string, signal: AbortSignal): Promise<string | null> {
  const response = await fetch("/api/doctor/probe", {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: offer,
    signal,
  });
  return response.ok ? response.text() : null;
}

export interface Probe {
  outcome: Attempt;
  /** Open if the outcome is `passed`. */
  channel: RTCDataChannel | null;
}

/**
 * Connects to the probe peer over one transport.
 *
 * There are no ICE servers: Chromium takes UDP from a STUN server's address as that server's, and
 * the probe peer has the same address.
 */
export async function connectProbe(
  transport: ProbeTransport,
  ms: number,
  signal: AbortSignal,
): Promise<Probe> {
  const peer = new RTCPeerConnection();
  const close = () => peer.close();
  signal.addEventListener("abort", close);
  const channel = peer.createDataChannel("line", { ordered: false, maxRetransmits: 0 });
  channel.binaryType = "arraybuffer";
  const lacks = (outcome: Attempt): Probe => {
    close();
    return { outcome, channel: null };
  };
  try {
    await peer.setLocalDescription();
    const answer = await postOffer(peer.localDescription?.sdp ?? "", signal);
    const sdp = answer && onlyTransport(answer, transport);
    if (!sdp) return lacks("unknown");
    await peer.setRemoteDescription({ type: "answer", sdp });
  } catch {
    return lacks("unknown");
  }
  const isOpen = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const end = (open: boolean) => {
      clearTimeout(timer);
      resolve(open);
    };
    channel.onopen = () => end(true);
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") end(false);
    };
    signal.addEventListener("abort", () => end(false));
    // Nobody has lost what this computer does not have.
    if (transport === "udp6") void lacksIpv6(peer).then((lacking) => lacking && end(false));
  });
  if (isOpen) return { outcome: "passed", channel };
  const isUntried = transport === "udp6" && !(await hasAskedOverIpv6(peer));
  return lacks(isUntried ? "unknown" : "failed");
}

/** Resolves to true if there is nothing over which the peer could be asked. */
async function lacksIpv6(peer: RTCPeerConnection): Promise<boolean> {
  if (peer.iceGatheringState !== "complete") {
    await new Promise<void>((resolve) => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
    });
  }
  await new Promise((resolve) => setTimeout(resolve, PAIR_MS));
  return !(await hasAskedOverIpv6(peer));
}

/** Returns whether requests were sent, from an address with which one is reached everywhere. */
async function hasAskedOverIpv6(peer: RTCPeerConnection): Promise<boolean> {
  const report = await peer.getStats();
  const entries: { type: string; requestsSent?: number; localCandidateId?: string }[] = [];
  report.forEach((entry) => {
    entries.push(entry);
  });
  return entries.some(({ type, requestsSent, localCandidateId }) => {
    if (type !== "candidate-pair" || !requestsSent) return false;
    const { address } = report.get(localCandidateId ?? "") ?? {};
    // Unique local and link-local addresses; absent if the browser hides it.
    return !(address && /^f[cde]/i.test(address));
  });
}

/** Measures the path for `ms` over an open probe. */
export async function measurePath(
  channel: RTCDataChannel,
  ms: number,
  signal: AbortSignal,
): Promise<PathFacts> {
  const log = newEchoLog();
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let ended = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      const isSending = now - start < ms && channel.readyState === "open";
      if (isSending) {
        channel.send(nextMessage(log, now));
        return;
      }
      ended ||= now;
      log.lastTick = now;
      if (isWhole(log) || now - ended > LAST_ECHO_MS) end();
    }, SMALL_INTERVAL_MS);
    const end = () => {
      clearInterval(timer);
      resolve();
    };
    channel.onmessage = ({ data }) => takeEcho(log, data as ArrayBuffer, performance.now());
    signal.addEventListener("abort", end);
  });
  return pathFacts(log);
}

/** Gathers candidates for at most `ms`. */
export async function gather(
  configuration: RTCConfiguration,
  ms: number,
  signal: AbortSignal,
  isEnough: (candidate: RTCIceCandidate) => boolean = () => false,
): Promise<Gathered> {
  const peer = new RTCPeerConnection(configuration);
  const candidates: RTCIceCandidate[] = [];
  let errors = 0;
  const isComplete = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const end = (complete: boolean) => {
      clearTimeout(timer);
      resolve(complete);
    };
    peer.onicecandidateerror = () => {
      errors += 1;
    };
    peer.onicecandidate = ({ candidate }) => {
      if (!candidate) return end(errors === 0);
      candidates.push(candidate);
      if (isEnough(candidate)) end(true);
    };
    signal.addEventListener("abort", () => end(false));
    peer.createDataChannel("gather");
    peer.setLocalDescription().catch(() => end(false));
  });
  peer.close();
  return { candidates, isComplete };
}

/** Tries an allocation at TURN servers of one transport. */
export async function allocate(
  servers: RTCIceServer[],
  ms: number,
  signal: AbortSignal,
): Promise<Attempt> {
  if (servers.length === 0) return "unknown";
  const isRelay = ({ type }: RTCIceCandidate) => type === "relay";
  const configuration: RTCConfiguration = { iceServers: servers, iceTransportPolicy: "relay" };
  const { candidates } = await gather(configuration, ms, signal, isRelay);
  return candidates.some(isRelay) ? "passed" : "failed";
}
