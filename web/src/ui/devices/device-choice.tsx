import type { Device, DeviceKind, LocalMediaState } from "moim-client";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
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

/** Selectors for camera, microphone and speaker. */
export function DeviceChoice({ labelled = false }: { labelled?: boolean }) {
  const { t } = useI18n();
  const { media } = useClient();
  const state = useReadable(media);
  return (
    <fieldset className={styles.choice} aria-label={t.devices.title}>
      {KINDS.map((kind) => (
        <Select
          key={kind}
          label={t.devices[kind]}
          icon={ICONS[kind]}
          hideLabel={!labelled}
          value={selectedDevice(kind, state) ?? ""}
          disabled={state.devices[kind].length === 0}
          data-testid={`choose-${kind}`}
          onSelect={(deviceId) => void media.choose(kind, deviceId)}
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
    // Some browsers list no speakers, though there is one.
    if (kind === "speaker") return <option value="">{t.devices.systemDefault}</option>;
    const isMissing = state[kind].problem === "missing";
    return <option value="">{isMissing ? t.devices.none : t.devices.notAllowed}</option>;
  }
  const isKnown = devices.some(({ id }) => id === selectedDevice(kind, state));
  return (
    <>
      {isKnown ? null : <option value="">{t.devices.systemDefault}</option>}
      {devices.map((device, i) => (
        <option key={device.id || i} value={device.id}>
          {deviceLabel(device, kind, i + 1, t)}
        </option>
      ))}
    </>
  );
}

/** Id of the device in use or chosen. */
export function selectedDevice(kind: DeviceKind, state: LocalMediaState): string | null {
  return kind === "speaker" ? state.speaker : state[kind].deviceId;
}

/** Name of a device. Browsers hide it until permission is granted. */
export function deviceLabel(device: Device, kind: DeviceKind, n: number, t: Messages): string {
  return device.label || t.devices.unnamed[kind](n);
}
