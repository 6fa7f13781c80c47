import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { useFileTexts } from "../parts/part-texts.ts";
import chat from "./chat.module.css";
import styles from "./file-card.module.css";
import { fileIcon } from "./file-icon.ts";
import { FileName } from "./file-name.tsx";
import { fileSize } from "./file-size.ts";
import { MAX_STAGED, type Staged, type StagingProblem } from "./staging.ts";

interface Props {
  files: readonly Staged[];
  problem: StagingProblem | null;
  maxBytes: number;
  onRemove: (key: number) => void;
}

/** The files that are sent with the next message. */
export function StagedFiles({ files, problem, maxBytes, onRemove }: Props) {
  const t = useFileTexts();
  const { language } = useI18n();
  const most = fileSize(maxBytes, language);
  return (
    <>
      {files.length > 0 ? (
        <ul className={styles.staged} aria-label={t.staged} data-testid="staged">
          {files.map(({ key, name, file }) => (
            <li key={key} className={styles.stagedFile}>
              <Icon name={fileIcon(name)} size={20} />
              <FileName name={name} />
              <span className={styles.size}>{fileSize(file.size, language)}</span>
              <button
                type="button"
                className={styles.unstage}
                aria-label={t.unstage(name)}
                onClick={() => onRemove(key)}
              >
                <Icon name="close" size={18} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      {problem ? (
        <p className={chat.error} role="alert" data-testid="staging-problem">
          {problem.kind === "tooLarge" ? t.tooLarge(problem.name, most) : t.tooMany(MAX_STAGED)}
        </p>
      ) : null}
      {files.length > 0 ? <p className={styles.fileHint}>{t.hint(most)}</p> : null}
    </>
  );
}
