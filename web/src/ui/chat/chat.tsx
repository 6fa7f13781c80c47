import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Call, ChatMessage } from "../../client/index.ts";
import { useSpeech } from "../i18n/context.tsx";
import { isComposing } from "../parts/composing.ts";
import { Icon } from "../parts/icon.tsx";
import styles from "./chat.module.css";
import { Message } from "./message.tsx";

/** The most characters that the server takes. */
const MOST = 2_000;

interface Props {
  call: Pick<Call, "say">;
  messages: readonly ChatMessage[];
  self: string;
  onClose: () => void;
}

/** What is written beside the call. */
export function Chat({ call, messages, self, onClose }: Props) {
  const { t } = useSpeech();
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  const log = useFollowing(messages);
  useEffect(() => input.current?.focus(), []);

  const isTooLong = [...text].length > MOST;
  const send = () => {
    if (text.trim() === "" || isTooLong) return;
    call.say(text);
    setText("");
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a syllable is being composed, Enter belongs to it.
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };

  return (
    <aside
      className={styles.chat}
      aria-label={t.chat.title}
      data-testid="chat"
      onKeyDown={(event) => {
        if (event.key === "Escape" && !isComposing(event.nativeEvent)) onClose();
      }}
    >
      <header className={styles.head}>
        <h2 className={styles.title}>{t.chat.title}</h2>
        <button type="button" className={styles.close} aria-label={t.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <div ref={log} className={styles.log} role="log" aria-label={t.chat.log} tabIndex={0}>
        {messages.length === 0 ? <p className={styles.hint}>{t.chat.hint}</p> : null}
        {messages.map((message, i) => (
          <Message
            key={message.key}
            message={message}
            before={messages[i - 1]}
            isOwn={message.from === self || message.key.startsWith("own ")}
          />
        ))}
      </div>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          ref={input}
          className={styles.input}
          rows={1}
          value={text}
          placeholder={t.chat.placeholder}
          aria-label={t.chat.input}
          aria-invalid={isTooLong || undefined}
          enterKeyHint="send"
          data-testid="chat-input"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          className={styles.send}
          aria-label={t.chat.send}
          aria-disabled={text.trim() === "" || isTooLong}
          data-testid="chat-send"
        >
          <Icon name="send" size={20} />
        </button>
        {isTooLong ? (
          <p className={styles.wrong} role="alert">
            {t.chat.tooLong(MOST)}
          </p>
        ) : null}
      </form>
    </aside>
  );
}

/** Stays at the newest message, unless the person has scrolled up to read. */
function useFollowing(messages: readonly ChatMessage[]) {
  const ref = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const log = ref.current;
    const onScroll = () => {
      if (log) follows.current = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    };
    log?.addEventListener("scroll", onScroll, { passive: true });
    return () => log?.removeEventListener("scroll", onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is a new message that moves it.
  useLayoutEffect(() => {
    const log = ref.current;
    if (log && follows.current) log.scrollTop = log.scrollHeight;
  }, [messages]);
  return ref;
}
