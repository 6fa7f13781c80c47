import type { CallState } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import { Invite } from "../invite/invite.tsx";
import { Icon } from "../parts/icon.tsx";
import { Panel } from "../parts/panel.tsx";
import styles from "./info-panel.module.css";

interface Props {
  state: CallState;
  onClose: () => void;
  takesFocus: boolean;
}

/** Panel with the room's link, and in words how the call is connected. */
export function InfoPanel({ state, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const { room, topology } = state;
  return (
    <Panel title={t.panel.info} testId="info" onClose={onClose} takesFocus={takesFocus}>
      <section className={styles.section}>
        <h3 className={styles.heading}>{t.panel.invite}</h3>
        <Invite room={room.name} copyTestId="copy-room-link" />
        {room.locked ? (
          <p className={styles.note}>
            <Icon name="lock" size={18} />
            {t.panel.passwordNeeded}
          </p>
        ) : null}
      </section>
      <section className={styles.section}>
        <h3 className={styles.heading}>{t.panel.connection}</h3>
        <p className={styles.note}>
          <Icon name={topology === "mesh" ? "direct" : "server"} size={18} />
          {topology === "mesh" ? t.call.mesh : t.call.sfu}
        </p>
      </section>
    </Panel>
  );
}
