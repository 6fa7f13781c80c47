/**
 * The view of a call, in a script of its own: home and preview are there sooner without it. It is
 * loaded while the preview is shown, and before a room is joined, so that no call is without a view.
 */
import type { ComponentType } from "react";
import type { CallProps } from "../call/call.tsx";

let view: ComponentType<CallProps> | null = null;

export async function loadCallView(): Promise<void> {
  view ??= (await import("../call/call.tsx")).Call;
}

/** The view once it is loaded. */
export function loadedCallView(): ComponentType<CallProps> {
  if (!view) throw new Error("a call before its view was loaded");
  return view;
}
