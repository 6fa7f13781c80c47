import { useCallback, useEffect, useRef, useState } from "react";
import styles from "./toasts.module.css";

interface Toast {
  id: number;
  text: string;
}

const TOAST_MS = 4000;
/** More at once would cover the participants. */
const MAX_TOASTS = 3;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const count = useRef(0);
  const timers = useRef(new Set<number>());
  useEffect(() => {
    const running = timers.current;
    return () => running.forEach(clearTimeout);
  }, []);
  const show = useCallback((text: string) => {
    const id = ++count.current;
    setToasts((toasts) => [...toasts, { id, text }].slice(-MAX_TOASTS));
    const timer = window.setTimeout(() => {
      timers.current.delete(timer);
      setToasts((toasts) => toasts.filter((toast) => toast.id !== id));
    }, TOAST_MS);
    timers.current.add(timer);
  }, []);
  return { toasts, show };
}

/** Short messages over the stage. Hidden from screen readers: the announcer reads them. */
export function Toasts({ toasts }: { toasts: readonly Toast[] }) {
  return toasts.map(({ id, text }) => (
    <p key={id} className={styles.toast} aria-hidden="true">
      {text}
    </p>
  ));
}
