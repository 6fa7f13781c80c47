import type { ChatMessage } from "moim-client";
import { memo, type ReactNode } from "react";
import { useI18n } from "../i18n/context.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { PersonName } from "../parts/person-name.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import styles from "./chat.module.css";
import { linkify } from "./linkify.ts";

/** Messages of one sender within this time are grouped under one header. */
const GROUP_MS = 2 * 60_000;

interface Props {
  message: ChatMessage;
  before: ChatMessage | undefined;
  isOwn: boolean;
  /** Answers a private message; absent where that is not possible. */
  onReply: ((from: string) => void) | undefined;
  /** The file that it offers, in place of its text. */
  file: ReactNode;
}

/**
 * A chat message; the first of a group has the sender's name and the time. It is drawn only when it
 * changes: a chat has hundreds, and a call changes many times a second.
 */
export const Message = memo(function Message({ message, before, isOwn, onReply, file }: Props) {
  const { t, language } = useI18n();
  const { from, name, alike, text, at, status, key, isPrivate = false, to } = message;
  const isContinued =
    before !== undefined &&
    before.from === from &&
    before.isPrivate === message.isPrivate &&
    before.to?.id === to?.id &&
    at - before.at < GROUP_MS;
  const audience = to ? t.chat.onlyTo(distinctName(to)) : t.chat.onlyToYou;
  const classes = [
    styles.message,
    isOwn ? styles.own : "",
    isContinued ? styles.continued : "",
    isPrivate ? styles.private : "",
  ];
  return (
    <div
      className={classes.join(" ")}
      data-testid="chat-message"
      data-from={from}
      data-status={status}
      data-key={key}
      data-private={isPrivate}
    >
      {isContinued ? null : (
        <p className={styles.sender}>
          <PersonName name={isOwn ? t.call.you : name || t.chat.unknownSender} />
          {isOwn ? null : <SameNameMark alike={alike} />}
          <time dateTime={new Date(at).toISOString()}>{timeFormat(language).format(at)}</time>
        </p>
      )}
      {isPrivate && !isContinued ? (
        <p className={styles.audience} data-testid="chat-audience">
          <Icon name="lock" size={14} />
          <PersonName name={audience} />
          {onReply && !isOwn ? (
            <button
              type="button"
              className={styles.reply}
              data-testid="chat-reply"
              onClick={() => onReply(from)}
            >
              {t.chat.reply}
            </button>
          ) : null}
        </p>
      ) : null}
      {file ?? (
        <p className={styles.text} dir="auto">
          {isPrivate && isContinued ? <VisuallyHidden>{`${audience}: `}</VisuallyHidden> : null}
          {linkify(text, location.origin).map((part, i) =>
            part.href === undefined ? (
              part.text
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: the text of a message never changes.
              <a key={i} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
                {part.text}
              </a>
            ),
          )}
        </p>
      )}
      {status === "sent" ? null : (
        <p className={styles.status}>{status === "sending" ? t.chat.sending : t.chat.failed}</p>
      )}
    </div>
  );
});

/** The format of each language: to make one takes longer than to draw a message. */
const TIME_FORMATS = new Map<string, Intl.DateTimeFormat>();

function timeFormat(language: string): Intl.DateTimeFormat {
  const known = TIME_FORMATS.get(language);
  if (known) return known;
  const format = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  TIME_FORMATS.set(language, format);
  return format;
}
