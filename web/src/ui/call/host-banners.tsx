import type { Call, CallState } from "moim-client";
import { useEffect } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useClient } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { clip } from "../parts/clip.ts";
import { Icon } from "../parts/icon.tsx";
import styles from "./banners.module.css";
import own from "./host-banners.module.css";

/** Characters of a name in a banner. */
const MAX_NAME = 24;

interface Props {
  call: Call;
  state: CallState;
  /** The panel with those who wait is open. */
  isListShown: boolean;
  onShowPeople: () => void;
}

/** Banners of hosting: somebody waits to be let in, or a host asks for a microphone or camera. */
export function HostBanners({ call, state, isListShown, onShowPeople }: Props) {
  const { waiting, unmuteRequest } = state;
  return (
    <>
      {waiting.length > 0 && !isListShown ? (
        <WaitingBanner call={call} waiting={waiting} onShowPeople={onShowPeople} />
      ) : null}
      {unmuteRequest ? <UnmuteBanner call={call} request={unmuteRequest} /> : null}
    </>
  );
}

function WaitingBanner({
  call,
  waiting,
  onShowPeople,
}: {
  call: Call;
  waiting: CallState["waiting"];
  onShowPeople: () => void;
}) {
  const { t } = useI18n();
  const announce = useAnnounce();
  const [first] = waiting;
  const isOne = waiting.length === 1 && first !== undefined;
  const text = isOne
    ? t.people.wantsToJoin(clip(first.name, MAX_NAME))
    : t.people.manyWantToJoin(waiting.length);
  useEffect(() => announce(text), [text, announce]);
  return (
    <div className={`${styles.banner} ${own.question}`} data-testid="waiting-banner">
      <Icon name="people" size={20} />
      <div className={styles.text}>
        <strong title={isOne ? first.name : undefined}>{text}</strong>
      </div>
      <button
        type="button"
        className={styles.action}
        data-testid="waiting-show"
        onClick={onShowPeople}
      >
        {t.people.show}
      </button>
      {isOne ? (
        <button
          type="button"
          className={`${styles.action} ${own.primary}`}
          data-testid="banner-admit"
          onClick={() => void call.hosting.admit([first.id]).catch(onShowPeople)}
        >
          {t.people.admit}
        </button>
      ) : null}
    </div>
  );
}

function UnmuteBanner({
  call,
  request,
}: {
  call: Call;
  request: NonNullable<CallState["unmuteRequest"]>;
}) {
  const { t } = useI18n();
  const { media } = useClient();
  const announce = useAnnounce();
  const wantsCamera = request.sources.includes("camera");
  const by = clip(request.by || t.people.someone, MAX_NAME);
  const text = wantsCamera ? t.people.asksCamera(by) : t.people.asksMic(by);
  useEffect(() => announce(text), [text, announce]);
  const turnOn = () => {
    void (wantsCamera ? media.setCamera(true) : media.setMicrophone(true));
    call.dismissUnmuteRequest();
  };
  return (
    <div className={`${styles.banner} ${own.question}`} data-testid="unmute-banner">
      <Icon name={wantsCamera ? "camera" : "mic"} size={20} />
      <div className={styles.text}>
        <strong title={request.by || undefined}>{text}</strong>
      </div>
      <button
        type="button"
        className={styles.action}
        data-testid="not-now"
        onClick={() => call.dismissUnmuteRequest()}
      >
        {t.people.notNow}
      </button>
      <button type="button" className={styles.action} data-testid="turn-on" onClick={turnOn}>
        {t.people.turnOn}
      </button>
    </div>
  );
}
