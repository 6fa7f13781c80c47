import type { CallState } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Button, buttonClass } from "../parts/button.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./call-ended.module.css";
import { lengthOf } from "./call-length.ts";

interface Props {
  room: string;
  /** Error that ended the call; null if the user left. */
  error: CallState["error"];
  /** Another tab has taken over the call. */
  isMoved: boolean;
  /** Length of the call. */
  seconds: number;
  onAgain: () => void;
}

/** The view after a call. */
export function CallEnded({ room, error, isMoved, seconds, onAgain }: Props) {
  const { t } = useI18n();
  const { title, hint } = isMoved
    ? { title: t.elsewhere.moved, hint: t.elsewhere.movedHint }
    : textsOf(error, t);
  // A removed participant would be rejected.
  const mayReturn = error?.code !== "removed";
  return (
    <Page>
      <div className={styles.page} data-testid="left" data-reason={error?.code}>
        <PeopleIllustration />
        <ViewTitle document={t.callEnded.documentTitle(room)} className={styles.title}>
          {title}
        </ViewTitle>
        {hint ? <p className={styles.hint}>{hint}</p> : null}
        <p className={styles.facts}>
          <bdi className={styles.room}>{t.reach.after.room(room)}</bdi>
          <span data-testid="call-length">{t.reach.after.lasted(lengthOf(seconds, t))}</span>
        </p>
        <div className={styles.actions}>
          {mayReturn ? (
            <Button variant="primary" data-testid="join-again" onClick={onAgain}>
              {t.callEnded.again}
            </Button>
          ) : null}
          <Link to="/" className={buttonClass("secondary")} data-testid="go-home">
            {t.callEnded.home}
          </Link>
        </div>
      </div>
    </Page>
  );
}

function textsOf(
  error: CallState["error"],
  { callEnded }: Messages,
): { title: string; hint?: string } {
  switch (error?.code) {
    case undefined:
      return { title: callEnded.title };
    case "removed":
    case "banned":
      return { title: callEnded.removed, hint: callEnded.removedHint };
    case "ended":
      return { title: callEnded.ended, hint: callEnded.endedHint };
    default:
      return { title: callEnded.lost, hint: callEnded.lostHint };
  }
}
