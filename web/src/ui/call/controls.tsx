import { type RefObject, useState } from "react";
import type { Call } from "../../client/index.ts";
import { DeviceAlerts } from "../devices/device-alerts.tsx";
import { DeviceChoice } from "../devices/device-choice.tsx";
import { MirrorChoice } from "../devices/mirror-choice.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { LanguageChoice } from "../parts/language-choice.tsx";
import { CameraToggle, MicToggle, ScreenToggle } from "../parts/media-toggles.tsx";
import { RoundButton } from "../parts/round-button.tsx";
import { canShare, canShareScreen } from "../platform.ts";
import { readableLink } from "../router.ts";
import { useMediaQuery } from "../use-media-query.ts";
import styles from "./controls.module.css";
import { More } from "./more.tsx";
import { ReactionButton } from "./reactions.tsx";
import { shareLink, useCopyLink } from "./share.ts";

interface Props {
  call: Pick<Call, "setHand" | "react" | "leave">;
  room: string;
  /** What the room permits this participant to send. */
  may: { speak: boolean; share: boolean };
  isHandRaised: boolean;
  chat: {
    isOpen: boolean;
    unread: number;
    toggle: () => void;
    /** The button that receives focus when the chat closes. */
    ref: RefObject<HTMLButtonElement | null>;
  };
}

/** A bar of all controls; where there is no room for them, five of them and the rest in a menu. */
const ROOMY = "(min-width: 760px) and (min-height: 481px)";

/** Control bar of a call. */
export function Controls({ call, room, may, isHandRaised, chat }: Props) {
  const { t } = useI18n();
  const [showsSettings, setShowsSettings] = useState(false);
  const [showsMore, setShowsMore] = useState(false);
  const isRoomy = useMediaQuery(ROOMY);
  const mayShare = may.share && canShareScreen;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms. */}
      <div className={styles.controls} role="group" aria-label={t.controls.group}>
        {may.speak ? (
          <>
            <MicToggle />
            <CameraToggle />
          </>
        ) : null}
        {isRoomy ? (
          <>
            {mayShare ? <ScreenToggle /> : null}
            <RoundButton
              icon="hand"
              label={t.controls.hand}
              tooltip={isHandRaised ? t.controls.handDown : t.controls.handUp}
              isOffByDefault
              aria-pressed={isHandRaised}
              data-testid="toggle-hand"
              onClick={() => call.setHand(!isHandRaised)}
            />
            <ReactionButton call={call} />
          </>
        ) : null}
        <RoundButton
          ref={chat.ref}
          icon="chat"
          label={
            chat.unread > 0
              ? `${t.controls.chat}, ${t.controls.unread(chat.unread)}`
              : t.controls.chat
          }
          tooltip={t.controls.chat}
          isOffByDefault
          count={chat.unread}
          aria-expanded={chat.isOpen}
          data-testid="chat-open"
          onClick={chat.toggle}
        />
        {isRoomy ? (
          <>
            {canShare ? (
              <RoundButton
                icon="share"
                label={t.controls.share}
                onClick={() => void shareLink(room)}
              />
            ) : (
              <CopyLink room={room} />
            )}
            <RoundButton
              icon="settings"
              label={t.controls.settings}
              aria-haspopup="dialog"
              data-testid="open-settings"
              onClick={() => setShowsSettings(true)}
            />
          </>
        ) : (
          <RoundButton
            icon="more"
            label={t.controls.more}
            aria-haspopup="dialog"
            data-testid="open-more"
            onClick={() => setShowsMore(true)}
          />
        )}
        <button
          type="button"
          className={styles.leave}
          aria-label={t.controls.leave}
          data-testid="leave"
          onClick={() => call.leave()}
        >
          <Icon name="leave" />
          <span>{t.controls.leave}</span>
        </button>
      </div>
      {showsMore && !isRoomy ? (
        <More
          call={call}
          room={room}
          mayShare={mayShare}
          isHandRaised={isHandRaised}
          onSettings={() => {
            setShowsMore(false);
            setShowsSettings(true);
          }}
          onClose={() => setShowsMore(false)}
        />
      ) : null}
      {showsSettings ? (
        <Dialog title={t.devices.title} onClose={() => setShowsSettings(false)}>
          <DeviceAlerts isJoined />
          <DeviceChoice labelled />
          <MirrorChoice />
          <LanguageChoice />
          <Button variant="primary" onClick={() => setShowsSettings(false)}>
            {t.devices.done}
          </Button>
        </Dialog>
      ) : null}
    </>
  );
}

function CopyLink({ room }: { room: string }) {
  const { t } = useI18n();
  const { isCopied, hasFailed, copy, reset } = useCopyLink(room);
  return (
    <>
      <RoundButton
        icon={isCopied ? "check" : "link"}
        label={isCopied ? t.controls.copied : t.controls.copyLink}
        data-testid="copy-link"
        onClick={() => void copy()}
      />
      {hasFailed ? (
        <Dialog title={t.controls.copyLink} onClose={reset}>
          <p>{t.controls.copyFailed}</p>
          <span className={styles.link}>{readableLink(room)}</span>
        </Dialog>
      ) : null}
    </>
  );
}
