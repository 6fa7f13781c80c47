import type { Call, CallState, ChatMessage, RemoteParticipant, SharedFile } from "moim-client";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { FileTrigger, Button as PressButton } from "react-aria-components";
import { useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { isComposing } from "../parts/composing.ts";
import { cx } from "../parts/cx.ts";
import { Icon } from "../parts/icon.tsx";
import { Panel } from "../parts/panel.tsx";
import { useFileTexts } from "../parts/part-texts.ts";
import styles from "./chat.module.css";
import cardStyles from "./file-card.module.css";
import { FileCard } from "./file-card.tsx";
import { Message } from "./message.tsx";
import { isOutOfReach, type Recipient, recipientsOf } from "./recipient.ts";
import { RecipientChoice } from "./recipient-choice.tsx";
import { StagedFiles } from "./staged-files.tsx";
import { type Staged, type StagingProblem, staged } from "./staging.ts";
import { filesOf, useDrop } from "./use-drop.ts";
import { useFollow } from "./use-follow.ts";

/** Maximum length of a message in code points, as enforced by the server. */
const MAX_MESSAGE_LENGTH = 2_000;

interface Props {
  call: Call;
  state: Pick<CallState, "chat" | "policy" | "self" | "formerIds"> & {
    others: readonly RemoteParticipant[];
  };
  /** The room permits this participant to write. */
  mayWrite: boolean;
  /** The room permits this participant to share files. */
  mayShare: boolean;
  onClose: () => void;
  /** The field receives focus, as it was opened to write. */
  takesFocus: boolean;
}

/** Chat panel beside the call. */
export function Chat({ call, state, mayWrite, onClose, takesFocus, ...rights }: Props) {
  const mayShare = rights.mayShare && call.files.maxBytes > 0;
  const { t } = useI18n();
  const texts = useFileTexts();
  const files = useReadable(call.files);
  const { chat: messages, self, formerIds } = state;
  const [recipient, setRecipient] = useState<Recipient>(null);
  const recipients = recipientsOf(state);
  const isGone = isOutOfReach(recipient, recipients);
  const [text, setText] = useState("");
  const [kept, setAttached] = useState<readonly Staged[]>([]);
  const [problem, setProblem] = useState<StagingProblem | null>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const log = useFollow(messages);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens.
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, []);

  const isTooLong = [...text].length > MAX_MESSAGE_LENGTH;
  const attached = mayShare ? kept : [];
  const attach = (chosen: readonly File[]) => {
    const next = staged(attached, chosen, call.files.maxBytes);
    setAttached(next.files);
    setProblem(next.problem);
    input.current?.focus();
  };
  const maySend = mayWrite && mayShare;
  const drop = useDrop(maySend ? attach : null);
  const isEmpty = text.trim() === "" && attached.length === 0;
  const cannotSend = isEmpty || isTooLong || isGone;
  const send = () => {
    if (cannotSend) return;
    call.sendChat(text, recipient?.id);
    const rejected = call.files.offer(
      attached.map(({ file }) => file),
      recipient?.id,
    );
    setText("");
    setProblem(rejected.some(({ reason }) => reason === "tooMany") ? { kind: "tooMany" } : null);
    setAttached(attached.filter((_, i) => i >= attached.length - rejected.length));
    input.current?.focus();
  };
  const latestRecipients = useRef(recipients);
  latestRecipients.current = recipients;
  const reply = useCallback((from: string) => {
    setRecipient(latestRecipients.current.find(({ id }) => id === from) ?? null);
    input.current?.focus();
  }, []);
  const mayReplyTo = (from: string) => mayWrite && recipients.some(({ id }) => id === from);
  const isOwn = ({ from, key }: ChatMessage) =>
    from === self.id || key.startsWith("own ") || formerIds.includes(from);
  // A reload withdraws the files that were offered before.
  const isOwnFile = ({ from, key }: ChatMessage) => from === self.id || key.startsWith("own ");
  const onPaste = (event: ClipboardEvent) => {
    const pasted = maySend ? filesOf(event.clipboardData) : [];
    if (pasted.length === 0) return;
    event.preventDefault();
    attach(pasted);
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
      <div className={styles.chat} {...drop.handlers}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard. */}
        <div ref={log} className={styles.log} role="log" aria-label={t.chat.log} tabIndex={0}>
          {messages.length === 0 ? <p className={styles.hint}>{t.chat.hint}</p> : null}
          {messages.map((message, i) => (
            <Message
              key={message.key}
              message={message}
              before={messages[i - 1]}
              isOwn={isOwn(message)}
              onReply={message.isPrivate && mayReplyTo(message.from) ? reply : undefined}
              file={
                hasFile(message) ? (
                  <FileCard
                    call={call}
                    state={state}
                    files={files}
                    message={message}
                    isOwn={isOwnFile(message)}
                  />
                ) : null
              }
            />
          ))}
        </div>
        {mayWrite ? null : (
          <p className={styles.hint} data-testid="chat-by-hosts-only">
            {t.chat.byHostsOnly}
          </p>
        )}
        <form
          className={cx(
            styles.form,
            recipient !== null && styles.whispers,
            !mayShare && styles.textOnly,
          )}
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
          <StagedFiles
            files={attached}
            problem={problem}
            maxBytes={call.files.maxBytes}
            onRemove={(removed) => {
              setAttached(attached.filter(({ key }) => key !== removed));
              setProblem(null);
              input.current?.focus();
            }}
          />
          {mayShare ? (
            <FileTrigger allowsMultiple onSelect={(chosen) => chosen && attach([...chosen])}>
              <PressButton
                className={styles.attach ?? ""}
                aria-label={texts.attach}
                data-testid="chat-attach"
              >
                <Icon name="attach" size={20} />
              </PressButton>
            </FileTrigger>
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
            onPaste={onPaste}
          />
          <button
            type="submit"
            className={styles.send}
            aria-label={attached.length > 0 ? texts.send : t.chat.send}
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
        {drop.isOver ? (
          <p className={cardStyles.drop} data-testid="drop-here">
            <Icon name="attach" size={28} />
            {texts.drop}
          </p>
        ) : null}
      </div>
    </Panel>
  );
}

function hasFile(message: ChatMessage): message is ChatMessage & { file: SharedFile } {
  return message.file !== undefined;
}
