import { type ReactNode, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { keyOpens } from "../parts/key-opens.ts";
import { Popover } from "../parts/popover.tsx";
import styles from "./device-menu.module.css";

interface Props {
  /** The toggle beside which the button stands. */
  toggle: ReactNode;
  label: string;
  testId: string;
  onSettings: () => void;
  children: ReactNode;
}

/** A toggle of the bar with a button beside it, which opens a card about the device. */
export function DeviceMenu({ toggle, label, testId, onSettings, children }: Props) {
  const { t } = useI18n();
  const [isOpen, setOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  return (
    <span className={styles.split}>
      {toggle}
      <button
        ref={trigger}
        type="button"
        className={styles.open}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-testid={testId}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={keyOpens(() => setOpen(true))}
      >
        <Icon name={isOpen ? "down" : "up"} size={18} />
      </button>
      {isOpen ? (
        <Popover
          anchor={trigger}
          label={label}
          side="above"
          shape="card"
          onClose={() => setOpen(false)}
        >
          {children}
          <button
            type="button"
            className={styles.settings}
            onClick={() => {
              setOpen(false);
              onSettings();
            }}
          >
            <Icon name="settings" size={20} />
            {t.controls.allSettings}
          </button>
        </Popover>
      ) : null}
    </span>
  );
}
