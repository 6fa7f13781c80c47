import type { ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import styles from "./parts.module.css";
import { useTexts } from "./texts/index.ts";

interface Props {
  title: string;
  /** The button's action, in words. */
  action: string;
  children: ReactNode;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that can't be undone. */
export function Confirm({ title, action, children, onConfirm, onClose }: Props) {
  const { t } = useTexts();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <div className={styles.row}>
        <Button
          variant="primary"
          data-testid="admin-confirm"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
        <Button onClick={onClose}>{t.cancel}</Button>
      </div>
    </Dialog>
  );
}
