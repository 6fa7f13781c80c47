import { useI18n } from "../i18n/context.tsx";
import { Invite } from "../invite/invite.tsx";
import styles from "./invitation.module.css";

/** Tile with the ways to invite people, shown while the user is alone. */
export function Invitation({ room }: { room: string }) {
  const { t } = useI18n();
  return (
    <div className={styles.invitation} data-testid="alone">
      <p className={styles.title}>{t.call.alone}</p>
      <p className={styles.hint}>{t.call.aloneHint}</p>
      <Invite room={room} copyTestId="copy-invitation" />
    </div>
  );
}
