import {
  type Call,
  type CallState,
  type ChatMessage,
  type FilesState,
  type OwnFile,
  type ReceivedFile,
  type SharedFile,
  safeFileName,
  withdrawnKey,
} from "moim-client";
import { ProgressBar } from "react-aria-components";
import { useI18n } from "../i18n/context.tsx";
import type { FileMessages } from "../i18n/en-files.ts";
import { clip } from "../parts/clip.ts";
import { Icon } from "../parts/icon.tsx";
import { useFileTexts } from "../parts/part-texts.ts";
import styles from "./file-card.module.css";
import { fileIcon } from "./file-icon.ts";
import { FileName } from "./file-name.tsx";
import { fileSize } from "./file-size.ts";
import { ImagePreview } from "./image-preview.tsx";
import { useSave } from "./use-files.ts";

/** Characters of a name in a sentence. */
const MAX_NAME = 24;

interface Props {
  call: Call;
  state: Pick<CallState, "others">;
  files: FilesState;
  message: ChatMessage & { file: SharedFile };
  isOwn: boolean;
}

/** A file that a message offers, with its transfer and what can be done. */
export function FileCard({ call, state, files, message, isOwn }: Props) {
  const t = useFileTexts();
  const { language } = useI18n();
  const file = { ...message.file, name: safeFileName(message.file.name) };
  const size = fileSize(file.size, language);
  const received = files.received.get(file.id);
  const own = files.own.get(file.id);
  const isHere = state.others.some(({ id }) => id === message.from);
  const isOffered = isHere && !files.withdrawn.has(withdrawnKey(message.from, file.id));
  const others = { call, message, received, isHere, isOffered };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form.
    <div
      className={styles.card}
      role="group"
      aria-label={t.file(file.name, size)}
      data-testid="file"
      data-name={file.name}
      data-status={isOwn ? (own?.isWithdrawn ? "withdrawn" : "own") : statusOf(others)}
    >
      <span className={styles.icon}>
        <Icon name={fileIcon(file.name)} size={26} />
      </span>
      <p className={styles.name}>
        <FileName name={file.name} />
        <span className={styles.size}>{size}</span>
      </p>
      {isOwn ? (
        <Own call={call} file={file} own={own} isSent={message.status !== "failed"} />
      ) : (
        <Others {...others} />
      )}
    </div>
  );
}

interface OthersProps {
  call: Call;
  message: ChatMessage & { file: SharedFile };
  received: ReceivedFile | undefined;
  /** The sender is there, as the same participant. */
  isHere: boolean;
  /** The sender is there and has not taken it back. */
  isOffered: boolean;
}

type Status = ReceivedFile["status"] | "offered";

function statusOf({ received, isOffered }: OthersProps): Status {
  if (received && (received.status === "received" || isOffered)) return received.status;
  return isOffered ? "offered" : "unavailable";
}

const GOING_ON: readonly Status[] = ["queued", "waiting", "connecting", "receiving", "interrupted"];

/** The file of somebody else. */
function Others(props: OthersProps) {
  const { call, message, received } = props;
  const t = useFileTexts();
  const { chat } = useI18n().t;
  const save = useSave(call);
  const { file } = message;
  const status = statusOf(props);
  const isGoingOn = GOING_ON.includes(status);
  const canReceive = status === "offered" || status === "refused" || status === "cancelled";
  return (
    <>
      {isGoingOn && received ? <Progress received={received} /> : null}
      {status === "received" && received ? <ImagePreview call={call} file={file} /> : null}
      <StatusLine
        text={
          status === "unavailable" && !props.isHere
            ? t.senderGone(clip(message.name || chat.unknownSender, MAX_NAME))
            : statusText(t, status, received)
        }
        isBad={status === "failed"}
      />
      <div className={styles.actions}>
        {canReceive ? (
          <Action
            icon="download"
            label={t.receive}
            name={t.receiveNamed(file.name)}
            testId="file-receive"
            onPress={() => call.files.receive(message)}
          />
        ) : null}
        {status === "offered" ? (
          <Action
            label={t.refuse}
            name={t.refuseNamed(file.name)}
            testId="file-refuse"
            onPress={() => call.files.refuse(message)}
          />
        ) : null}
        {status === "failed" ? (
          <Action
            icon="download"
            label={t.retry}
            name={t.retryNamed(file.name)}
            testId="file-retry"
            onPress={() => call.files.receive(message)}
          />
        ) : null}
        {isGoingOn ? (
          <Action
            label={t.cancel}
            name={t.cancelNamed(file.name)}
            testId="file-cancel"
            onPress={() => call.files.cancel(file.id)}
          />
        ) : null}
        {status === "received" && received ? (
          <Action
            icon="download"
            label={t.save}
            name={t.saveNamed(file.name)}
            testId="file-save"
            onPress={() => save(received)}
          />
        ) : null}
      </div>
    </>
  );
}

function statusText(
  t: FileMessages,
  status: Status,
  received: ReceivedFile | undefined,
): string | null {
  if (status === "offered" || status === "receiving") return null;
  if (status === "failed") return t.failure[received?.failure ?? "connection"];
  return t.status[status];
}

/** The own file: who has it. */
function Own({
  call,
  file,
  own,
  isSent,
}: {
  call: Call;
  file: SharedFile;
  own: OwnFile | undefined;
  isSent: boolean;
}) {
  const t = useFileTexts();
  const isOffered = isSent && own !== undefined && !own.isWithdrawn;
  const lines = isSent ? ownLines(t, file, own) : [];
  return (
    <>
      {lines.map((line) => (
        <StatusLine key={line} text={line} />
      ))}
      {isOffered ? (
        <div className={styles.actions}>
          <Action
            label={t.withdraw}
            name={t.withdrawNamed(file.name)}
            testId="file-withdraw"
            onPress={() => call.files.withdraw(file.id)}
          />
        </div>
      ) : null}
    </>
  );
}

/** Most lines about single recipients; more are told by their number. */
const MAX_SINGLE = 2;

function ownLines(t: FileMessages, file: SharedFile, own: OwnFile | undefined): string[] {
  const recipients = own?.recipients ?? [];
  const having = recipients.filter(({ status }) => status === "received");
  const sending = recipients.filter(({ status }) => status === "sending");
  const percent = (sent: number) => Math.floor((sent / Math.max(1, file.size)) * 100);
  const lines: string[] = [];
  if (having.length > MAX_SINGLE) lines.push(t.own.receivedByMany(having.length));
  else lines.push(...having.map(({ name }) => t.own.received(name)));
  if (sending.length > MAX_SINGLE) {
    const all = sending.reduce((sum, { sent }) => sum + sent, 0);
    lines.push(t.own.sendingToMany(sending.length, percent(all / sending.length)));
  } else lines.push(...sending.map(({ name, sent }) => t.own.sendingTo(name, percent(sent))));
  for (const { name, status } of recipients.slice(0, 5)) {
    if (own?.isWithdrawn) break;
    if (status === "interrupted") lines.push(t.own.interrupted(name));
    if (status === "refused") lines.push(t.own.refused(name));
    if (status === "cancelled") lines.push(t.own.cancelled(name));
  }
  if (own?.isWithdrawn) lines.push(t.own.withdrawn);
  else if (recipients.length === 0) lines.push(t.own.offered);
  return [...new Set(lines)];
}

function Progress({ received }: { received: ReceivedFile }) {
  const t = useFileTexts();
  const { language } = useI18n();
  const { file, arrived } = received;
  const text = t.progressOf(fileSize(arrived, language), fileSize(file.size, language));
  const share = file.size === 0 ? 0 : (arrived / file.size) * 100;
  return (
    <ProgressBar
      className={styles.progress ?? ""}
      aria-label={t.progress(file.name)}
      value={share}
      valueLabel={text}
      data-testid="file-progress"
    >
      <span className={styles.track}>
        <span className={styles.fill} style={{ inlineSize: `${share}%` }} />
      </span>
      <span className={styles.status}>{text}</span>
    </ProgressBar>
  );
}

function StatusLine({ text, isBad = false }: { text: string | null; isBad?: boolean }) {
  if (text === null) return null;
  return (
    <p className={isBad ? `${styles.status} ${styles.bad}` : styles.status}>
      {isBad ? <Icon name="alert" size={16} /> : null}
      <bdi>{text}</bdi>
    </p>
  );
}

function Action({
  icon,
  label,
  name,
  testId,
  onPress,
}: {
  icon?: "download";
  label: string;
  name: string;
  testId: string;
  onPress: () => void;
}) {
  return (
    <button
      type="button"
      className={icon ? `${styles.action} ${styles.main}` : styles.action}
      aria-label={name}
      data-testid={testId}
      onClick={onPress}
    >
      {icon ? <Icon name={icon} size={18} /> : null}
      {label}
    </button>
  );
}
