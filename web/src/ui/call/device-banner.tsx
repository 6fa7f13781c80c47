import { useEffect, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { browserOf, type Trouble, troublesOf } from "../room/trouble.ts";
import { wantedOf } from "../room/troubles.tsx";
import styles from "./device-banner.module.css";

/** Tells of a camera or microphone that fails during the call, with one press to get it back. */
export function DeviceBanner() {
  const { t } = useSpeech();
  const { media } = useClient();
  const state = useReadable(media);
  const announce = useAnnounce();
  const troubles = troublesOf(state, browserOf(navigator.userAgent), t);
  // What the preview has told already is known.
  const [known, setKnown] = useState<readonly string[]>(() => troubles.map(keyOf));
  const still = known.filter((key) => troubles.some((trouble) => keyOf(trouble) === key));
  // One that was over and comes again is told again.
  if (still.length < known.length) setKnown(still);
  const trouble = troubles.find((trouble) => !still.includes(keyOf(trouble)));
  const text = trouble && `${trouble.title}. ${trouble.why} ${trouble.how ?? ""}`;
  useEffect(() => {
    if (text) announce(text);
  }, [text, announce]);
  if (!trouble) return null;
  const { title, why, how, remedy, kinds } = trouble;
  return (
    <div className={styles.banner} data-testid="device-banner">
      <Icon name="alert" size={20} />
      <div className={styles.text}>
        <strong>{title}</strong>
        <span>{why}</span>
        {how ? <span>{how}</span> : null}
      </div>
      {remedy ? (
        <button
          type="button"
          className={styles.remedy}
          data-testid="device-remedy"
          onClick={() => void media.start(wantedOf(kinds))}
        >
          {remedy}
        </button>
      ) : null}
      <button
        type="button"
        className={styles.dismiss}
        aria-label={t.problem.dismiss}
        title={t.problem.dismiss}
        onClick={() => setKnown([...still, keyOf(trouble)])}
      >
        <Icon name="close" size={18} />
      </button>
    </div>
  );
}

/** The same trouble in any language. */
function keyOf({ kinds, fault }: Trouble): string {
  return [...kinds, fault.is, "problem" in fault ? fault.problem : ""].join(" ");
}
