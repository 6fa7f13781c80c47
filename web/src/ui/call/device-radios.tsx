import type { Device, DeviceKind } from "moim-client";
import { Label, Radio, RadioGroup } from "react-aria-components";
import { useClient, useReadable } from "../client-context.ts";
import { deviceLabel, selectedDevice } from "../devices/device-choice.tsx";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { Icon } from "../parts/icon.tsx";
import styles from "./device-menu.module.css";

/** The devices of a kind, one of which is in use. */
export function DeviceRadios({ kind }: { kind: DeviceKind }) {
  const { t } = useI18n();
  const { media } = useClient();
  const state = useReadable(media);
  const devices = state.devices[kind];
  const selected = selectedDevice(kind, state);
  const isListed = devices.some(({ id }) => id === selected);
  const isMissing = kind !== "speaker" && state[kind].problem === "missing";
  const nothing =
    kind === "speaker"
      ? t.devices.systemDefault
      : isMissing
        ? t.devices.none
        : t.devices.notAllowed;
  return (
    <RadioGroup
      className={cx(styles.group)}
      value={isListed ? selected : usualDevice(devices)}
      onChange={(deviceId) => void media.choose(kind, deviceId)}
      data-testid={`menu-${kind}`}
    >
      <Label className={cx(styles.label)}>{t.devices[kind]}</Label>
      {devices.length === 0 ? <p className={styles.none}>{nothing}</p> : null}
      {devices.map((device, i) => (
        <Radio key={device.id || i} value={device.id} className={cx(styles.radio)}>
          <span className={styles.check}>
            <Icon name="check" size={18} />
          </span>
          <span className={styles.name}>{deviceLabel(device, kind, i + 1, t)}</span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

/**
 * The device in use where none was chosen, or one that is not there. Browsers of the Chromium family list that of a microphone
 * or speaker by this id; the only camera needs none.
 */
function usualDevice(devices: readonly Device[]): string | null {
  if (devices.length === 1) return devices[0]?.id ?? null;
  return devices.find(({ id }) => id === "default")?.id ?? null;
}
