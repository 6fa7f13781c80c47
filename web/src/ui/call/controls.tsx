import type { Call } from "moim-client";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { DeviceToggle, ScreenToggle } from "../parts/media-toggles.tsx";
import { RoundButton } from "../parts/round-button.tsx";
import { canShareScreen } from "../platform.ts";
import { CameraMenu } from "./camera-menu.tsx";
import styles from "./controls.module.css";
import { CONTROLS_ID } from "./focus-parts.ts";
import { MicMenu } from "./mic-menu.tsx";
import { More, type MoreItem } from "./more.tsx";
import { ChatButton, type PanelSwitch, PeopleButton } from "./panel-buttons.tsx";
import { ReactionButton, ReactionRow } from "./reactions.tsx";

interface Props extends PanelSwitch {
  call: Pick<Call, "setHand" | "react" | "leave">;
  /** All controls are in the bar; otherwise five of them, and the rest in a sheet. */
  isRoomy: boolean;
  /** Media that the room permits this participant to send. */
  may: { speak: boolean; share: boolean };
  isHandRaised: boolean;
  /** Numbers of people in the call, of those who wait, of unread messages and of polls to vote in. */
  counts: { people: number; waiting: number; unread: number; polls: number };
  /** Items of the menu in any bar. */
  items: readonly MoreItem[];
  onSettings: () => void;
  onShortcuts: () => void;
}

/** Control bar of a call. */
export function Controls(props: Props) {
  const { isRoomy, may, call } = props;
  const { t } = useI18n();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
    <div className={styles.controls} role="group" aria-label={t.controls.group} id={CONTROLS_ID}>
      {isRoomy ? (
        <RoomyBar {...props} mayShare={may.share && canShareScreen} />
      ) : (
        <Bar {...props} />
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
  );
}

function RoomyBar(props: Props & { mayShare: boolean }) {
  const { call, may, mayShare, isHandRaised, counts, panel, toggle, onSettings } = props;
  const { t } = useI18n();
  const items: MoreItem[] = [
    ...props.items,
    { icon: "settings", label: t.settings.title, run: onSettings },
    { icon: "keyboard", label: t.settings.tabs.shortcuts, run: props.onShortcuts },
  ];
  return (
    <>
      {may.speak ? (
        <>
          <MicMenu onSettings={onSettings} />
          <CameraMenu onSettings={onSettings} />
        </>
      ) : null}
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
      <span className={styles.gap} />
      <ChatButton panel={panel} toggle={toggle} unread={counts.unread} />
      <PeopleButton panel={panel} toggle={toggle} {...counts} />
      <More items={items} count={counts.polls} isSheet={false} />
    </>
  );
}

/** The bar of a phone. */
function Bar({ call, may, isHandRaised, counts, panel, toggle, items, onSettings }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const { screen, canFlipCamera } = useReadable(media);
  const hand: MoreItem = {
    icon: "hand",
    label: isHandRaised ? t.controls.handDown : t.controls.handUp,
    testId: "toggle-hand",
    run: () => call.setHand(!isHandRaised),
  };
  const share: MoreItem = {
    icon: "screen",
    label: screen.on ? t.controls.screenOff : t.controls.screenOn,
    testId: "toggle-screen",
    run: () => void media.setScreen(!screen.on),
  };
  const flip: MoreItem = {
    icon: "flip",
    label: t.sound.flip,
    testId: "flip-camera",
    run: () => void media.flipCamera(),
  };
  const settings: MoreItem = {
    icon: "settings",
    label: t.settings.title,
    testId: "open-settings",
    run: onSettings,
  };
  const mayShare = may.share && canShareScreen;
  return (
    <>
      {may.speak ? (
        <>
          <DeviceToggle kind="microphone" />
          <DeviceToggle kind="camera" />
        </>
      ) : null}
      <ChatButton panel={panel} toggle={toggle} unread={counts.unread} />
      <More
        items={[
          hand,
          ...(canFlipCamera ? [flip] : []),
          ...(mayShare ? [share] : []),
          ...items,
          settings,
        ]}
        count={counts.polls}
        isSheet
      >
        <ReactionRow call={call} />
      </More>
    </>
  );
}
