import type { ChatMessage } from "../../client/index.ts";
import { useI18n } from "../i18n/context.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import styles from "./chat.module.css";
import { linkify } from "./linkify.ts";

/** Messages of one sender within this time are grouped under one header. */
const GROUP_MS = 2 * 60_000;

interface Props {
  message: ChatMessage;
  before: ChatMessage | undefined;
  isOwn: boolean;
}

/** A chat message; the first of a group has the sender's name and the time. */
export function Message({ message, before, isOwn }: Props) {
  const { t, language } = useI18n();
  const { from, name, alike, text, at, status, key } = message;
  const isContinued = before?.from === from && at - before.at < GROUP_MS;
  const time = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  return (
    <div
      className={`${styles.message} ${isOwn ? styles.own : ""} ${isContinued ? styles.continued : ""}`}
      data-testid="chat-message"
      data-from={from}
      data-status={status}
      data-key={key}
    >
      {isContinued ? null : (
        <p className={styles.sender}>
          <bdi>{isOwn ? t.call.you : name || t.chat.unknownSender}</bdi>
          {isOwn ? null : <SameNameMark alike={alike} />}
          <time dateTime={new Date(at).toISOString()}>{time.format(at)}</time>
        </p>
      )}
      <p className={styles.text} dir="auto">
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
      {status === "sent" ? null : (
        <p className={styles.status}>{status === "sending" ? t.chat.sending : t.chat.failed}</p>
      )}
    </div>
  );
}
