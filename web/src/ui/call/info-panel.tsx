import type { CallState } from "../../client/index.ts";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { Panel } from "../parts/panel.tsx";
import { canShare } from "../platform.ts";
import { readableLink } from "../router.ts";
import styles from "./info-panel.module.css";
import { shareLink, useCopyLink } from "./share.ts";

interface Props {
  state: CallState;
  onClose: () => void;
  takesFocus: boolean;
}

/** Panel with the room's link, and in words how the call is connected. */
export function InfoPanel({ state, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const { room, topology } = state;
  const { isCopied, hasFailed, copy } = useCopyLink(room.name);
  return (
    <Panel title={t.panel.info} testId="info" onClose={onClose} takesFocus={takesFocus}>
      <section className={styles.section}>
        <h3 className={styles.heading}>{t.panel.invite}</h3>
        <p className={styles.link} data-testid="room-link">
          {readableLink(room.name)}
        </p>
        {hasFailed ? <p className={styles.note}>{t.controls.copyFailed}</p> : null}
        <div className={styles.actions}>
          <Button variant="primary" data-testid="copy-room-link" onClick={() => void copy()}>
            <Icon name={isCopied ? "check" : "link"} size={20} />
            {isCopied ? t.controls.copied : t.controls.copyLink}
          </Button>
          {canShare ? (
            <Button onClick={() => void shareLink(room.name)}>
              <Icon name="share" size={20} />
              {t.controls.share}
            </Button>
          ) : null}
        </div>
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
