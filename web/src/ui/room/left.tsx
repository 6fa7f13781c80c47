import type { CallState } from "../../client/index.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Gathering } from "../parts/brand.tsx";
import { Button, buttonClass } from "../parts/button.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./left.module.css";

interface Props {
  room: string;
  /** Why the call ended, where it wasn't left. */
  error: CallState["error"];
  onAgain: () => void;
}

/** After the call. */
export function Left({ room, error, onAgain }: Props) {
  const { t } = useSpeech();
  return (
    <Page>
      <div className={styles.left} data-testid="left">
        <Gathering />
        <ViewTitle document={t.left.documentTitle(room)} className={styles.title}>
          {error ? t.left.lost : t.left.title}
        </ViewTitle>
        {error ? <p className={styles.hint}>{t.left.lostHint}</p> : null}
        <div className={styles.actions}>
          <Button look="primary" data-testid="join-again" onClick={onAgain}>
            {t.left.again}
          </Button>
          <Link to="/" className={buttonClass("quiet")} data-testid="go-home">
            {t.left.home}
          </Link>
        </div>
      </div>
    </Page>
  );
}
