import type { Call, CallState, RemoteParticipant } from "moim-client";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { isComposing } from "../parts/composing.ts";
import { Icon } from "../parts/icon.tsx";
import { Panel } from "../parts/panel.tsx";
import styles from "./chat.module.css";
import { Message } from "./message.tsx";
import { isOutOfReach, type Recipient, recipientsOf } from "./recipient.ts";
import { RecipientChoice } from "./recipient-choice.tsx";
import { useFollow } from "./use-follow.ts";

/** Maximum length of a message in code points, as enforced by the server. */
const MAX_MESSAGE_LENGTH = 2_000;

interface Props {
  call: Pick<Call, "sendChat">;
  state: Pick<CallState, "chat" | "policy" | "self"> & { others: readonly RemoteParticipant[] };
  /** The room permits this participant to write. */
  mayWrite: boolean;
  onClose: () => void;
  /** The field receives focus, as it was opened to write. */
  takesFocus: boolean;
}

/** Chat panel beside the call. */
export function Chat({ call, state, mayWrite, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const { chat: messages, self } = state;
  const [recipient, setRecipient] = useState<Recipient>(null);
  const recipients = recipientsOf(state);
  const isGone = isOutOfReach(recipient, recipients);
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  const log = useFollow(messages);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens.
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, []);

  const isTooLong = [...text].length > MAX_MESSAGE_LENGTH;
  const cannotSend = text.trim() === "" || isTooLong || isGone;
  const send = () => {
    if (cannotSend) return;
    call.sendChat(text, recipient?.id);
    setText("");
    input.current?.focus();
  };
  /** Answers a private message; absent where that is not possible. */
  const replyTo = (from: string) => {
    const sender = recipients.find(({ id }) => id === from);
    if (!sender || !mayWrite) return undefined;
    return () => {
      setRecipient(sender);
      input.current?.focus();
    };
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
              isOwn={message.from === self.id || message.key.startsWith("own ")}
              onReply={replyTo(message.from)}
            />
          ))}
        </div>
        {mayWrite ? null : (
          <p className={styles.hint} data-testid="chat-by-hosts-only">
            {t.chat.byHostsOnly}
          </p>
        )}
        <form
          className={recipient ? `${styles.form} ${styles.whispers}` : styles.form}
          data-testid="chat-form"
          hidden={!mayWrite}
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          {recipients.length > 0 || recipient ? (
            <RecipientChoice
              recipient={recipient}
              recipients={recipients}
              onChoose={setRecipient}
            />
          ) : null}
          <textarea
            ref={input}
            className={styles.input}
            rows={1}
            value={text}
            placeholder={recipient ? t.chat.onlyTo(recipient.name) : t.chat.placeholder}
            aria-label={recipient ? t.chat.inputPrivate(recipient.name) : t.chat.input}
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
            aria-disabled={cannotSend}
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
