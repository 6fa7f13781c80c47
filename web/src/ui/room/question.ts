/** The browser's current question, in the words of the page. */
import type { LocalDevice } from "moim-client";
import type { Messages } from "../i18n/en.ts";

type DeviceState = Pick<LocalDevice, "opening" | "problem">;

/**
 * Null while the browser asks nothing: it has been answered (nothing is `asked`), no device is being
 * opened, or the answer takes so long that an alert says so.
 */
export function questionOf(
  asked: Readonly<Record<"microphone" | "camera", boolean>>,
  microphone: DeviceState,
  camera: DeviceState,
  { reach: { lobby } }: Pick<Messages, "reach">,
): string | null {
  const waits = ({ opening, problem }: DeviceState) => opening && problem === null;
  const asksMicrophone = asked.microphone && waits(microphone);
  const asksCamera = asked.camera && waits(camera);
  if (asksMicrophone && asksCamera) return lobby.willAsk.both;
  if (asksCamera) return lobby.willAsk.camera;
  return asksMicrophone ? lobby.willAsk.microphone : null;
}
