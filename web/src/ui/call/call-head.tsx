import type { CallState } from "moim-client";
import type { ReactNode } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { Icon } from "../parts/icon.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import styles from "./call-head.module.css";
import { HeadTool } from "./head-tool.tsx";
import type { PanelSwitch } from "./panel-buttons.tsx";
import { opens } from "./use-panel.ts";

interface Props extends PanelSwitch {
  call: CallState;
  /** The bar has the buttons for people and settings are here; otherwise the reverse. */
  isRoomy: boolean;
  /** The place for what changes the layout. */
  layout: ReactNode;
  onSettings: () => void;
}

/** Call header: room, topology, statistics, layout and settings. */
export function CallHead({ call, isRoomy, layout, panel, toggle, onSettings }: Props) {
  const { t } = useI18n();
  const { room, topology, others, waiting, policy } = call;
  const route = topology === "mesh" ? t.call.mesh : t.call.sfu;
  return (
    <header className={styles.head}>
      <button
        type="button"
        className={styles.room}
        aria-expanded={panel === "info"}
        data-testid="open-info"
        {...opens("info")}
        onClick={() => toggle("info")}
      >
        <Mark size={24} />
        <bdi>{room.name}</bdi>
        {room.locked || policy?.entry === "locked" ? <Icon name="lock" size={16} /> : null}
        <Icon name="info" size={16} />
        <VisuallyHidden>{t.controls.info}</VisuallyHidden>
      </button>
      {isRoomy ? null : (
        <button
          type="button"
          className={styles.people}
          aria-expanded={panel === "people"}
          data-testid="open-people"
          {...opens("people")}
          onClick={() => toggle("people")}
        >
          <Icon name="people" size={18} />
          <span className={styles.words}>{t.people.open(others.length + 1)}</span>
          {waiting.length > 0 ? (
            <span className={styles.waiting}>
              <span aria-hidden="true">{waiting.length}</span>
              <VisuallyHidden>{t.people.waitingCount(waiting.length)}</VisuallyHidden>
            </span>
          ) : null}
        </button>
      )}
      <span
        className={styles.quiet}
        role="img"
        aria-label={route}
        title={route}
        data-testid="topology"
        data-topology={topology}
      >
        <Icon name={topology === "mesh" ? "direct" : "server"} size={16} />
      </span>
      <span className={styles.tools}>
        <HeadTool
          icon="stats"
          label={t.controls.stats}
          aria-expanded={panel === "connection"}
          data-testid="open-stats"
          {...opens("connection")}
          onClick={() => toggle("connection")}
        />
        {layout}
        {isRoomy ? (
          <HeadTool
            icon="settings"
            label={t.settings.title}
            aria-haspopup="dialog"
            data-testid="open-settings"
            onClick={onSettings}
          />
        ) : null}
      </span>
    </header>
  );
}
