/** Checks of Engine.IO's two transports, without entering anything. */
import type { Attempt } from "./facts.ts";

/** Opens a WebSocket as Socket.IO does, and waits for the first packet. */
export async function tryWebSocket(ms: number, signal: AbortSignal): Promise<Attempt> {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/socket.io/?EIO=4&transport=websocket`);
  const outcome = await new Promise<Attempt>((resolve) => {
    const timer = setTimeout(() => end("failed"), ms);
    const end = (outcome: Attempt) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    socket.onmessage = () => end("passed");
    socket.onclose = () => end("failed");
    signal.addEventListener("abort", () => end("unknown"));
  });
  socket.close();
  return outcome;
}

/** Opens a session by polling and closes it. */
export async function tryPolling(ms: number, signal: AbortSignal): Promise<Attempt> {
  const path = "/socket.io/?EIO=4&transport=polling";
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    const response = await fetch(path, { cache: "no-store", signal: limit });
    const text = await response.text();
    if (!response.ok || !text.startsWith("0{")) return "failed";
    const { sid } = JSON.parse(text.slice(1)) as { sid: string };
    // Engine.IO's packet "close".
    await fetch(`${path}&sid=${sid}`, { method: "POST", body: "1", signal: limit });
    return "passed";
  } catch {
    return signal.aborted ? "unknown" : "failed";
  }
}
