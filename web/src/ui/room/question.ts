/** What the browser asks just now, in the words of the page. */
import type { LocalDevice } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";

type DeviceState = Pick<LocalDevice, "opening" | "problem">;

/**
 * Null while the browser asks nothing: it has been answered (`isOpen` is false), no device is being
 * opened, or the answer takes so long that an alert says so.
 */
export function questionOf(
  isOpen: boolean,
  microphone: DeviceState,
  camera: DeviceState,
  { reach: { lobby } }: Pick<Messages, "reach">,
): string | null {
  const waits = ({ opening, problem }: DeviceState) => isOpen && opening && problem === null;
  if (waits(microphone) && waits(camera)) return lobby.willAsk.both;
  if (waits(camera)) return lobby.willAsk.camera;
  return waits(microphone) ? lobby.willAsk.microphone : null;
}
