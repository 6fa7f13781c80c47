import { useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import styles from "./parts.module.css";
import { SmallButton } from "./small-button.tsx";
import { useTexts } from "./texts/index.ts";

interface Props {
  /** Its name, in words. */
  label: string;
  value: string;
  testId: string;
}

/** A secret that is shown once, to be copied. */
export function Secret({ label, value, testId }: Props) {
  const { t } = useTexts();
  const announce = useAnnounce();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
    announce(t.access.copied);
  };
  return (
    <div className={styles.secret} role="status">
      <p>{label}</p>
      <code data-testid={testId}>{value}</code>
      <div>
        <SmallButton onClick={() => void copy()}>
          {isCopied ? t.access.copied : t.access.copy}
        </SmallButton>
      </div>
    </div>
  );
}
