import { startTransition, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Countdown } from "./countdown.ts";
import styles from "./toasts.module.css";

/** A press on a toast about a message opens the chat. */
type ToastKind = "news" | "message";

/** Action of a toast's button. */
interface ToastAction {
  label: string;
  run: () => void;
}

interface Toast {
  id: number;
  text: string;
  kind: ToastKind;
  action: ToastAction | null;
}

const TOAST_MS = 4000;
/** The same where there is something to press. */
const ACTION_MS = 8000;
/** More at once would cover the participants. */
const MAX_TOASTS = 2;

export type ShowToast = (text: string, kind?: ToastKind, action?: ToastAction) => void;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const count = useRef(0);
  const show = useCallback<ShowToast>((text, kind = "news", action) => {
    const id = ++count.current;
    const toast = { id, text, kind, action: action ?? null };
    // A transition: in a burst of news React takes updates of every effect for an endless loop.
    startTransition(() => setToasts((toasts) => [...toasts, toast].slice(-MAX_TOASTS)));
  }, []);
  const close = useCallback((id: number) => {
    setToasts((toasts) => toasts.filter((toast) => toast.id !== id));
  }, []);
  const closeAll = useCallback(() => setToasts([]), []);
  return { toasts, show, close, closeAll };
}

interface Props {
  toasts: readonly Toast[];
  onClose: (id: number) => void;
  onChat: () => void;
}

/**
 * Short messages over the lower start of the stage, which wait while the pointer or the focus is on
 * them. They are no live region: the announcer reads them, and nothing is read twice.
 */
export function Toasts({ toasts, onClose, onChat }: Props) {
  const { t } = useI18n();
  const [isHovered, setHovered] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const isPaused = toasts.length > 0 && (isHovered || isFocused);
  // The last one may go from under the pointer, which then leaves nothing.
  useEffect(() => {
    if (toasts.length > 0) return;
    setHovered(false);
    setFocused(false);
  }, [toasts.length]);
  const stack = useStack(toasts);
  if (toasts.length === 0) return null;
  return (
    <section
      ref={stack}
      className={styles.toasts}
      aria-label={t.toasts.title}
      onPointerEnter={({ pointerType }) => setHovered(pointerType === "mouse")}
      onPointerLeave={() => setHovered(false)}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      {toasts.map((toast) => (
        <ToastCard
          key={toast.id}
          toast={toast}
          isPaused={isPaused}
          onClose={() => onClose(toast.id)}
          onChat={onChat}
        />
      ))}
    </section>
  );
}

/** Space between two toasts (px). */
const GAP = 8;

/** Moves the toasts above each other, the latest one lowest. */
function useStack(toasts: readonly Toast[]) {
  const ref = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the elements are those of the toasts.
  useLayoutEffect(() => {
    const cards = [...(ref.current?.children ?? [])].reverse() as HTMLElement[];
    const place = () => {
      let above = 0;
      for (const card of cards) {
        card.style.translate = `0 ${-above}px`;
        if (card.offsetHeight > 0) above += card.offsetHeight + GAP;
      }
    };
    place();
    // Their words may take another line, and one may have no room any more.
    const observer = new ResizeObserver(place);
    for (const card of cards) observer.observe(card);
    return () => observer.disconnect();
  }, [toasts]);
  return ref;
}

interface CardProps {
  toast: Toast;
  isPaused: boolean;
  onClose: () => void;
  onChat: () => void;
}

function ToastCard({ toast, isPaused, onClose, onChat }: CardProps) {
  const { t } = useI18n();
  const { text, kind, action } = toast;
  useCountdown(action ? ACTION_MS : TOAST_MS, isPaused, onClose);
  return (
    <div className={styles.toast} data-testid="toast">
      {kind === "message" ? (
        <button type="button" className={styles.message} title={text} onClick={onChat}>
          <span className={styles.text}>{text}</span>
        </button>
      ) : (
        <p className={styles.text} title={text}>
          {text}
        </p>
      )}
      {action ? (
        <button
          type="button"
          className={styles.action}
          data-testid="toast-action"
          onClick={() => {
            action.run();
            onClose();
          }}
        >
          {action.label}
        </button>
      ) : null}
      <button type="button" className={styles.close} aria-label={t.close} onClick={onClose}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

/** Calls `onEnd` once, after that time without the pauses. */
function useCountdown(ms: number, isPaused: boolean, onEnd: () => void): void {
  const latest = useRef(onEnd);
  latest.current = onEnd;
  const [countdown] = useState(() => new Countdown(ms, () => latest.current()));
  useEffect(() => {
    if (isPaused) return;
    countdown.run();
    return () => countdown.pause();
  }, [isPaused, countdown]);
}
