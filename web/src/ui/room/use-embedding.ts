import { useEffect, useRef } from "react";
import { useClient } from "../client-context.ts";
import type { Order, State } from "../embed/orders.ts";
import { parentSite } from "../embed/parent.ts";
import type { Phase } from "./phase.ts";

/** The connection with the embedding site. */
export interface Orders {
  join: (order: Extract<Order, { type: "join" }>) => void;
  leave: () => void;
}

/** Takes orders of the site that shows the page in a frame, and tells it what happens. */
export function useEmbedding(phase: Phase, room: string, orders: Orders): void {
  const { media } = useClient();
  const latest = useRef(orders);
  latest.current = orders;
  useEffect(
    () =>
      parentSite().open((order) => {
        if (order.type === "join") latest.current.join(order);
        else if (order.type === "leave") latest.current.leave();
        else if (order.type === "mute") {
          if (order.microphone !== undefined) void media.setMicrophone(!order.microphone);
          if (order.camera !== undefined) void media.setCamera(!order.camera);
        }
      }),
    [media],
  );

  const { state, reason } = stateOf(phase);
  useEffect(() => {
    parentSite().tell({ type: "state", state, room, ...(reason && { reason }) });
  }, [state, room, reason]);

  const call = phase.name === "call" ? phase.call : null;
  useEffect(() => {
    if (!call) return;
    const tell = () =>
      parentSite().tell({ type: "participants", count: call.getSnapshot().others.length + 1 });
    tell();
    return call.subscribe(tell);
  }, [call]);

  useEffect(() => {
    const tell = () => {
      const { microphone, camera } = media.getSnapshot();
      parentSite().tell({ type: "media", microphone: microphone.on, camera: camera.on });
    };
    tell();
    return media.subscribe(tell);
  }, [media]);
}

/** The state as the site is told it, with the code of a rejection or of the end. */
export function stateOf(phase: Phase): { state: State; reason?: string } {
  switch (phase.name) {
    case "preview":
      return { state: "lobby", ...(phase.rejection && { reason: phase.rejection.code }) };
    case "elsewhere":
      return { state: "lobby", reason: "elsewhere" };
    case "ended":
      return { state: "ended", reason: phase.error?.code ?? "left" };
    default:
      return { state: phase.name };
  }
}
