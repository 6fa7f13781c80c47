import { useEffect, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import styles from "./leave-dialog.module.css";

/** Asks before navigating back leaves the others. */
export function LeaveDialog({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  const { t } = useI18n();
  const stay = useRef<HTMLButtonElement>(null);
  // After the dialog has opened and chosen its first button.
  useEffect(() => stay.current?.focus(), []);
  return (
    <Dialog title={t.leaving.title} onClose={onStay}>
      <p>{t.leaving.hint}</p>
      <div className={styles.actions} data-testid="leave-question">
        <Button data-testid="leave-after-all" onClick={onLeave}>
          {t.leaving.leave}
        </Button>
        <Button ref={stay} variant="primary" data-testid="stay" onClick={onStay}>
          {t.leaving.stay}
        </Button>
      </div>
    </Dialog>
  );
}
