import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { canShare } from "../platform.ts";
import { readableLink } from "../router.ts";
import styles from "./invitation.module.css";
import { shareLink, useCopyLink } from "./share.ts";

/** Tile with the room's link, shown while the user is alone. */
export function Invitation({ room }: { room: string }) {
  const { t } = useI18n();
  const { isCopied, copy } = useCopyLink(room);
  return (
    <div className={styles.invitation} data-testid="alone">
      <p className={styles.title}>{t.call.alone}</p>
      <p className={styles.hint}>{t.call.aloneHint}</p>
      <span className={styles.link}>{readableLink(room)}</span>
      <div className={styles.actions}>
        <Button variant="primary" data-testid="copy-invitation" onClick={() => void copy()}>
          <Icon name={isCopied ? "check" : "link"} size={20} />
          {isCopied ? t.controls.copied : t.controls.copyLink}
        </Button>
        {canShare ? (
          <Button onClick={() => void shareLink(room)}>
            <Icon name="share" size={20} />
            {t.controls.share}
          </Button>
        ) : null}
      </div>
    </div>
  );
}
