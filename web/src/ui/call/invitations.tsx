import type { Hosting, Invitation, Role } from "moim-client";
import { useCallback, useEffect, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { useCopy } from "../invite/use-copy.ts";
import { Button } from "../parts/button.tsx";
import { Select } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Act } from "./act.ts";
import { invitationLink, rolesToInvite, TIMES, termsOf, USES } from "./invitation-terms.ts";
import styles from "./people.module.css";

interface Props {
  room: string;
  mayInviteCoHosts: boolean;
  hosting: Hosting;
  act: Act;
}

/** Links that let people in: make, copy, list and revoke. */
export function Invitations({ room, mayInviteCoHosts, hosting, act }: Props) {
  const { t } = useI18n();
  const [invitations, setInvitations] = useState<readonly Invitation[]>([]);
  const [link, setLink] = useState<string | null>(null);
  const [role, setRole] = useState<Role>("speaker");
  const [uses, setUses] = useState(1);
  const [seconds, setSeconds] = useState(24 * 60 * 60);
  const load = useCallback(async () => setInvitations(await hosting.invitations()), [hosting]);
  // A failure shows with the next request.
  useEffect(() => void load().catch(() => {}), [load]);
  const make = async () => {
    const terms = { ...(uses > 0 && { uses }), ...(seconds > 0 && { seconds }) };
    const { key } = await hosting.invite({ role, ...terms });
    setLink(invitationLink(room, key));
    await load();
  };
  const revoke = async (invitation: Invitation) => {
    try {
      await hosting.revoke(invitation.id);
    } finally {
      // It may be the one whose link is shown, and is revoked also if it could not be saved.
      setLink(null);
      await load();
    }
  };
  return (
    <section className={styles.section} data-testid="invitations">
      <h3 className={styles.heading}>{t.invite.title}</h3>
      <p className={styles.note}>{t.invite.hint}</p>
      <div className={styles.terms}>
        <Select
          label={t.invite.role}
          icon="people"
          value={role}
          data-testid="invite-role"
          onSelect={(value) => setRole(value as Role)}
        >
          {rolesToInvite(mayInviteCoHosts).map((one) => (
            <option key={one} value={one}>
              {t.people.role[one]}
            </option>
          ))}
        </Select>
        <Select
          label={t.invite.uses}
          icon="people"
          value={uses}
          data-testid="invite-uses"
          onSelect={(value) => setUses(Number(value))}
        >
          {USES.map((count) => (
            <option key={count} value={count}>
              {t.invite.usesOf(count)}
            </option>
          ))}
        </Select>
        <Select
          label={t.invite.time}
          icon="lock"
          value={seconds}
          data-testid="invite-time"
          onSelect={(value) => setSeconds(Number(value))}
        >
          {TIMES.map((time) => (
            <option key={time} value={time}>
              {t.invite.timeOf(time / 3600)}
            </option>
          ))}
        </Select>
      </div>
      <Button data-testid="make-invitation" onClick={() => act(make())}>
        <Icon name="link" size={20} />
        {t.invite.make}
      </Button>
      {link ? <NewLink link={link} /> : null}
      <ul className={styles.list}>
        {invitations.map((invitation) => (
          <li key={invitation.id} className={styles.person} data-testid="invitation">
            <div className={styles.row}>
              <span className={styles.who}>
                <span>{t.people.role[invitation.role]}</span>
                <Terms invitation={invitation} />
              </span>
              {invitation.role === "co_host" && !mayInviteCoHosts ? null : (
                <button
                  type="button"
                  className={styles.action}
                  data-testid="revoke-invitation"
                  onClick={() => act(revoke(invitation))}
                >
                  {t.invite.revoke}
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Terms({ invitation }: { invitation: Invitation }) {
  const { t, language } = useI18n();
  return <span className={styles.role}>{termsOf(invitation, t, language)}</span>;
}

/** The link of a new invitation, which is shown only now. */
function NewLink({ link }: { link: string }) {
  const { t } = useI18n();
  const { isCopied, hasFailed, copy } = useCopy(link);
  return (
    <div className={styles.made}>
      <input
        className={styles.madeLink}
        readOnly
        value={link}
        aria-label={t.invite.link}
        data-testid="invitation-link"
        onFocus={(event) => event.target.select()}
      />
      <Button variant="primary" data-testid="copy-invitation-link" onClick={() => void copy()}>
        <Icon name={isCopied ? "check" : "link"} size={20} />
        {isCopied ? t.controls.copied : t.invite.copy}
      </Button>
      <p className={styles.note} role="status">
        {hasFailed ? t.invite.copyByHand : t.invite.once}
      </p>
    </div>
  );
}
