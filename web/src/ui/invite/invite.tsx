import { useId, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Button, buttonClass } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { loadPart } from "../parts/load-part.tsx";
import { canShare } from "../platform.ts";
import { readableLink, roomLink } from "../router.ts";
import { CalendarForm } from "./calendar-form.tsx";
import styles from "./invite.module.css";
import { mailLink } from "./mail.ts";
import { shareLink } from "./share.ts";
import { useCopy } from "./use-copy.ts";

// Few people open it, so its encoder is a file of its own.
const QrCode = loadPart(
  async () => (await import("./qr-code.tsx")).default,
  function QrFailed() {
    const { t } = useI18n();
    return <p role="status">{t.reach.invite.qrFailed}</p>;
  },
);

type Opened = "qr" | "calendar" | null;

interface Props {
  room: string;
  copyTestId?: string;
}

/** The room's link and every way to send it: copy, share, QR code, e-mail, calendar. */
export function Invite({ room, copyTestId = "invite-copy" }: Props) {
  const { t } = useI18n();
  const link = roomLink(room);
  const { isCopied, hasFailed, copy } = useCopy(link);
  const [opened, setOpened] = useState<Opened>(null);
  const id = useId();
  const toggle = (which: Opened) => setOpened((now) => (now === which ? null : which));
  return (
    <div className={styles.invite} data-testid="invite">
      <div className={styles.row}>
        <input
          className={styles.link}
          readOnly
          value={readableLink(room)}
          aria-label={t.reach.invite.link}
          data-testid="invite-link"
          onFocus={(event) => event.target.select()}
        />
        <Button variant="primary" data-testid={copyTestId} onClick={() => void copy()}>
          <Icon name={isCopied ? "check" : "link"} size={20} />
          {isCopied ? t.controls.copied : t.controls.copyLink}
        </Button>
      </div>
      {hasFailed ? (
        <p className={styles.note} role="status">
          {t.invite.copyByHand}
        </p>
      ) : null}
      <div className={styles.ways}>
        {canShare ? (
          <Button data-testid="invite-share" onClick={() => void shareLink(room, link)}>
            <Icon name="share" size={18} />
            {t.reach.invite.share}
          </Button>
        ) : null}
        <Button
          aria-expanded={opened === "qr"}
          aria-controls={id}
          data-testid="invite-qr"
          onClick={() => toggle("qr")}
        >
          <Icon name="qr" size={18} />
          {t.reach.invite.qr}
        </Button>
        <a
          className={buttonClass("secondary")}
          href={mailLink(t.reach.invite.mailSubject(room), t.reach.invite.mailBody(room, link))}
          data-testid="invite-mail"
        >
          <Icon name="mail" size={18} />
          {t.reach.invite.mail}
        </a>
        <Button
          aria-expanded={opened === "calendar"}
          aria-controls={id}
          data-testid="invite-calendar"
          onClick={() => toggle("calendar")}
        >
          <Icon name="calendar" size={18} />
          {t.reach.invite.calendar}
        </Button>
      </div>
      <div id={id} className={styles.opened}>
        {opened === "qr" ? <QrCode link={link} /> : null}
        {opened === "calendar" ? <CalendarForm room={room} link={link} /> : null}
      </div>
    </div>
  );
}
