import type { Call } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { canShare } from "../platform.ts";
import { readableLink } from "../router.ts";
import styles from "./more.module.css";
import { ReactionRow } from "./reactions.tsx";
import { shareLink, useCopyLink } from "./share.ts";

interface Props {
  call: Pick<Call, "setHand" | "react">;
  room: string;
  mayShare: boolean;
  isHandRaised: boolean;
  onSettings: () => void;
  onClose: () => void;
}

/** The controls that have no room in the bar of a phone. */
export function More({ call, room, mayShare, isHandRaised, onSettings, onClose }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const { screen } = useReadable(media);
  const { isCopied, hasFailed, copy } = useCopyLink(room);
  const once = (action: () => void) => () => {
    action();
    onClose();
  };
  return (
    <Dialog title={t.controls.more} onClose={onClose}>
      <ReactionRow call={call} onDone={onClose} />
      <div className={styles.list} data-testid="more">
        <Item
          icon="hand"
          label={isHandRaised ? t.controls.handDown : t.controls.handUp}
          testId="toggle-hand"
          onClick={once(() => call.setHand(!isHandRaised))}
        />
        {mayShare ? (
          <Item
            icon="screen"
            label={screen.on ? t.controls.screenOff : t.controls.screenOn}
            testId="toggle-screen"
            onClick={once(() => void media.setScreen(!screen.on))}
          />
        ) : null}
        {canShare ? (
          <Item icon="share" label={t.controls.share} onClick={once(() => void shareLink(room))} />
        ) : (
          <Item
            icon={isCopied ? "check" : "link"}
            label={isCopied ? t.controls.copied : t.controls.copyLink}
            testId="copy-link"
            onClick={() => void copy()}
          />
        )}
        {hasFailed ? <p className={styles.link}>{readableLink(room)}</p> : null}
        <Item
          icon="settings"
          label={t.controls.settings}
          testId="open-settings"
          onClick={onSettings}
        />
      </div>
    </Dialog>
  );
}

function Item({
  icon,
  label,
  testId,
  onClick,
}: {
  icon: IconName;
  label: string;
  testId?: string;
  onClick: () => void;
}) {
  return (
    <button type="button" className={styles.item} data-testid={testId} onClick={onClick}>
      <Icon name={icon} />
      {label}
    </button>
  );
}
