import { isRefusal } from "moim-client";
import { useEffect, useState } from "react";
import { useClient } from "../client-context.ts";

type Kind = "camera" | "microphone";

const KINDS: readonly Kind[] = ["camera", "microphone"];

/** Starts a refused device once it is allowed in the browser's own settings, without a press. */
export function usePermissionRetry(): void {
  const { media } = useClient();
  useEffect(
    () =>
      watchPermissions((kind, state) => {
        if (state !== "granted" || !isRefusal(media.getSnapshot()[kind].problem)) return;
        void media.start({ camera: kind === "camera", microphone: kind === "microphone" });
      }),
    [media],
  );
}

/** Kinds that the browser asks the person about once they are used; none where it does not say. */
export function useAskedKinds(): Readonly<Record<Kind, boolean>> {
  const [asked, setAsked] = useState({ camera: false, microphone: false });
  useEffect(
    () =>
      watchPermissions((kind, state) =>
        setAsked((before) => ({ ...before, [kind]: state === "prompt" })),
      ),
    [],
  );
  return asked;
}

/** Calls back with the permission of each kind now and after each change, until cancelled. */
function watchPermissions(onState: (kind: Kind, state: PermissionState) => void): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const watch = async (kind: Kind) => {
    try {
      const status = await navigator.permissions.query({ name: kind as PermissionName });
      if (signal.aborted) return;
      status.addEventListener("change", () => onState(kind, status.state), { signal });
      onState(kind, status.state);
    } catch {
      // This browser does not tell.
    }
  };
  for (const kind of KINDS) void watch(kind);
  return () => controller.abort();
}
