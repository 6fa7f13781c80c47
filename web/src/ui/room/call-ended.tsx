import type { CallState } from "../../client/index.ts";
import { useI18n } from "../i18n/context.tsx";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Button, buttonClass } from "../parts/button.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./call-ended.module.css";

interface Props {
  room: string;
  /** Error that ended the call; null if the user left. */
  error: CallState["error"];
  onAgain: () => void;
}

/** The view after a call. */
export function CallEnded({ room, error, onAgain }: Props) {
  const { t } = useI18n();
  return (
    <Page>
      <div className={styles.page} data-testid="left">
        <PeopleIllustration />
        <ViewTitle document={t.callEnded.documentTitle(room)} className={styles.title}>
          {error ? t.callEnded.lost : t.callEnded.title}
        </ViewTitle>
        {error ? <p className={styles.hint}>{t.callEnded.lostHint}</p> : null}
        <div className={styles.actions}>
          <Button variant="primary" data-testid="join-again" onClick={onAgain}>
            {t.callEnded.again}
          </Button>
          <Link to="/" className={buttonClass("secondary")} data-testid="go-home">
            {t.callEnded.home}
          </Link>
        </div>
      </div>
    </Page>
  );
}
