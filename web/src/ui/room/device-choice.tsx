import type { Device, DeviceKind, LocalMediaState } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Select } from "../parts/field.tsx";
import type { IconName } from "../parts/icon.tsx";
import { canChooseSpeaker } from "../platform.ts";
import styles from "./device-choice.module.css";

const ICONS: Record<DeviceKind, IconName> = {
  camera: "camera",
  microphone: "mic",
  speaker: "speaker",
};

const KINDS: readonly DeviceKind[] = canChooseSpeaker
  ? ["camera", "microphone", "speaker"]
  : ["camera", "microphone"];

/** Which camera, which microphone, which loudspeaker. */
export function DeviceChoice({ labelled = false }: { labelled?: boolean }) {
  const { t } = useSpeech();
  const { media } = useClient();
  const state = useReadable(media);
  return (
    <fieldset className={styles.choice} aria-label={t.devices.title}>
      {KINDS.map((kind) => (
        <Select
          key={kind}
          label={t.devices[kind]}
          icon={ICONS[kind]}
          bare={!labelled}
          value={chosen(kind, state) ?? ""}
          disabled={state.devices[kind].length === 0}
          data-testid={`choose-${kind}`}
          onPick={(deviceId) => void media.choose(kind, deviceId)}
        >
          <Options kind={kind} state={state} t={t} />
        </Select>
      ))}
    </fieldset>
  );
}

function Options({ kind, state, t }: { kind: DeviceKind; state: LocalMediaState; t: Messages }) {
  const devices = state.devices[kind];
  if (devices.length === 0) {
    // A loudspeaker that can't be listed is there nevertheless.
    if (kind === "speaker") return <option value="">{t.devices.usual}</option>;
    const isMissing = state[kind].problem === "missing";
    return <option value="">{isMissing ? t.devices.none : t.devices.closed}</option>;
  }
  const isKnown = devices.some(({ id }) => id === chosen(kind, state));
  return (
    <>
      {isKnown ? null : <option value="">{t.devices.usual}</option>}
      {devices.map((device, i) => (
        <option key={device.id || i} value={device.id}>
          {labelOf(device, kind, i + 1, t)}
        </option>
      ))}
    </>
  );
}

function chosen(kind: DeviceKind, state: LocalMediaState): string | null {
  return kind === "speaker" ? state.speaker : state[kind].deviceId;
}

/** Browsers name devices only once they were allowed. */
function labelOf(device: Device, kind: DeviceKind, n: number, t: Messages): string {
  return device.label || t.devices.unnamed[kind](n);
}
