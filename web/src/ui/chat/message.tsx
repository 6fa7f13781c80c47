import type { ChatMessage } from "../../client/index.ts";
import { useSpeech } from "../i18n/context.tsx";
import { AlikeMark } from "../parts/alike-mark.tsx";
import styles from "./chat.module.css";
import { wordsOf } from "./words.ts";

/** Messages of one person this close together share their head, in milliseconds. */
const TOGETHER = 2 * 60_000;

interface Props {
  message: ChatMessage;
  before: ChatMessage | undefined;
  isOwn: boolean;
}

/** Who said what, when. */
export function Message({ message, before, isOwn }: Props) {
  const { t, language } = useSpeech();
  const { from, name, alike, text, at, status, key } = message;
  const goesOn = before?.from === from && at - before.at < TOGETHER;
  const time = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  return (
    <div
      className={`${styles.message} ${isOwn ? styles.own : ""} ${goesOn ? styles.goesOn : ""}`}
      data-testid="chat-message"
      data-from={from}
      data-status={status}
      data-key={key}
    >
      {goesOn ? null : (
        <p className={styles.who}>
          <bdi>{isOwn ? t.call.you : name || t.chat.somebody}</bdi>
          {isOwn ? null : <AlikeMark alike={alike} />}
          <time dateTime={new Date(at).toISOString()}>{time.format(at)}</time>
        </p>
      )}
      <p className={styles.text} dir="auto">
        {wordsOf(text).map((word, i) =>
          word.href === undefined ? (
            word.text
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the words of a message never change.
            <a key={i} href={word.href} target="_blank" rel="noopener noreferrer nofollow">
              {word.text}
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
