import { useCallback, useEffect, useRef, useState } from "react";
import styles from "./toasts.module.css";

/** A press on a toast about a message opens the chat. */
type ToastKind = "news" | "message";

interface Toast {
  id: number;
  text: string;
  kind: ToastKind;
}

const TOAST_MS = 4000;
/** More at once would cover the participants. */
const MAX_TOASTS = 2;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const count = useRef(0);
  const timers = useRef(new Set<number>());
  useEffect(() => {
    const running = timers.current;
    return () => running.forEach(clearTimeout);
  }, []);
  const show = useCallback((text: string, kind: ToastKind = "news") => {
    const id = ++count.current;
    setToasts((toasts) => [...toasts, { id, text, kind }].slice(-MAX_TOASTS));
    const timer = window.setTimeout(() => {
      timers.current.delete(timer);
      setToasts((toasts) => toasts.filter((toast) => toast.id !== id));
    }, TOAST_MS);
    timers.current.add(timer);
  }, []);
  const dismiss = useCallback((kind: ToastKind) => {
    setToasts((toasts) => toasts.filter((toast) => toast.kind !== kind));
  }, []);
  return { toasts, show, dismiss };
}

/**
 * Short messages over the lower start of the stage. Hidden from screen readers: the announcer reads
 * them, and the chat has a button of its own.
 */
export function Toasts({ toasts, onChat }: { toasts: readonly Toast[]; onChat: () => void }) {
  if (toasts.length === 0) return null;
  return (
    <div className={styles.toasts} aria-hidden="true">
      {toasts.map(({ id, text, kind }) =>
        kind === "message" ? (
          <button
            key={id}
            type="button"
            tabIndex={-1}
            className={`${styles.toast} ${styles.pressable}`}
            data-testid="toast"
            onClick={onChat}
          >
            <span className={styles.text}>{text}</span>
          </button>
        ) : (
          <p key={id} className={styles.toast} data-testid="toast">
            <span className={styles.text}>{text}</span>
          </p>
        ),
      )}
    </div>
  );
}
