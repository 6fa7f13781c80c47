import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Call, ChatMessage } from "../../client/index.ts";
import { useI18n } from "../i18n/context.tsx";
import { isComposing } from "../parts/composing.ts";
import { Icon } from "../parts/icon.tsx";
import { Panel } from "../parts/panel.tsx";
import styles from "./chat.module.css";
import { Message } from "./message.tsx";
import { useFollow } from "./use-follow.ts";

/** Maximum length of a message in code points, as enforced by the server. */
const MAX_MESSAGE_LENGTH = 2_000;

interface Props {
  call: Pick<Call, "sendChat">;
  messages: readonly ChatMessage[];
  self: string;
  /** The room permits this participant to write. */
  mayWrite: boolean;
  onClose: () => void;
  /** The field receives focus, as it was opened to write. */
  takesFocus: boolean;
}

/** Chat panel beside the call. */
export function Chat({ call, messages, self, mayWrite, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  const log = useFollow(messages);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens.
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, []);

  const isTooLong = [...text].length > MAX_MESSAGE_LENGTH;
  const send = () => {
    if (text.trim() === "" || isTooLong) return;
    call.sendChat(text);
    setText("");
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // During text composition (Korean, Japanese) Enter belongs to the input method.
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };

  return (
    <Panel title={t.chat.title} testId="chat" onClose={onClose} takesFocus={false} isBare>
      <div className={styles.chat}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard. */}
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
        {mayWrite ? null : (
          <p className={styles.hint} data-testid="chat-by-hosts-only">
            {t.chat.byHostsOnly}
          </p>
        )}
        <form
          className={styles.form}
          hidden={!mayWrite}
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
            <p className={styles.error} role="alert">
              {t.chat.tooLong(MAX_MESSAGE_LENGTH)}
            </p>
          ) : null}
        </form>
      </div>
    </Panel>
  );
}
