import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import styles from "./dialog.module.css";
import { IconButton } from "./icon-button.tsx";

interface Props {
  title: string;
  onClose: () => void;
  /** Wide enough for tables. */
  isWide?: boolean;
  children: ReactNode;
}

/** Modal `<dialog>`: the browser traps focus, closes it on Escape and restores focus. */
export function Dialog({ title, onClose, isWide = false, children }: Props) {
  const { t } = useI18n();
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  // A layout effect closes the dialog while it is still in the DOM, so that focus is restored.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, as the platform does.
    <dialog
      ref={ref}
      className={`${styles.dialog} ${isWide ? styles.wide : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Clicks on the backdrop target the dialog itself, clicks inside target a child.
        if (event.target === ref.current) onClose();
      }}
    >
      <div className={styles.head}>
        <h2 id={id} className={styles.title}>
          {title}
        </h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </div>
      <div className={styles.body}>{children}</div>
    </dialog>
  );
}
