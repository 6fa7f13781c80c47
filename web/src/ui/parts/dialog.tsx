import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useSpeech } from "../i18n/context.tsx";
import styles from "./dialog.module.css";
import { Icon } from "./icon.tsx";

interface Props {
  title: string;
  onClose: () => void;
  /** For tables. */
  isWide?: boolean;
  children: ReactNode;
}

/** The platform's modal dialog: it holds the focus, closes on Escape, gives the focus back. */
export function Dialog({ title, onClose, isWide = false, children }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  // In the layout phase the dialog is still in the page when it closes, so the focus goes back.
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
        // The backdrop belongs to the dialog itself, everything in it to a child.
        if (event.target === ref.current) onClose();
      }}
    >
      <div className={styles.head}>
        <h2 id={id} className={styles.title}>
          {title}
        </h2>
        <button type="button" className={styles.close} aria-label={t.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div className={styles.body}>{children}</div>
    </dialog>
  );
}
