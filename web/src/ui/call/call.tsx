import { useCallback, useEffect, useRef, useState } from "react";
import type { CallState, Call as JoinedCall } from "../../client/index.ts";
import { useAnnounce } from "../announcer.tsx";
import { Chat } from "../chat/chat.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Hidden } from "../parts/hidden.tsx";
import { toggleCamera, toggleMic } from "../parts/media-toggles.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { isMac } from "../platform.ts";
import { preferences } from "../preferences.ts";
import { Banners } from "./banners.tsx";
import styles from "./call.module.css";
import { CallHead } from "./call-head.tsx";
import { Controls } from "./controls.tsx";
import { Grid } from "./grid.tsx";
import { useMediaSession } from "./media-session.ts";
import { newsBetween, newsText } from "./news.ts";
import { shortcutOf } from "./shortcuts.ts";
import { SoundGate } from "./sound-gate.tsx";
import { Stats } from "./stats.tsx";
import { Toasts, useToasts } from "./toasts.tsx";
import { useUnread } from "./use-unread.ts";
import { useWakeLock } from "./wake-lock.ts";

interface Props {
  call: JoinedCall;
  /** The call is over: left, or lost for the reason given. */
  onEnd: (error: CallState["error"]) => void;
}

/** In the call. */
export function Call({ call, onEnd }: Props) {
  const { t } = useSpeech();
  const state = useReadable(call);
  const { toasts, show } = useToasts();
  const { name } = state.room;
  const [isSpeakerView, setSpeakerView] = useSpeakerView();
  const [showsStats, setShowsStats] = useState(false);
  const [isChatting, setChatting] = useState(false);
  const chatButton = useRef<HTMLButtonElement>(null);
  const unread = useUnread(state, isChatting, show);
  const closeChat = () => {
    setChatting(false);
    chatButton.current?.focus();
  };
  const toggleChat = () => (isChatting ? closeChat() : setChatting(true));
  useWakeLock();
  useShortcuts();
  const { media } = useClient();
  useMediaSession(
    media,
    useCallback(() => call.leave(), [call]),
  );
  useNews(state, show);
  useScreenTrouble(show);

  const isOver = state.status === "ended";
  const latestOnEnd = useRef(onEnd);
  latestOnEnd.current = onEnd;
  useEffect(() => {
    if (isOver) latestOnEnd.current(state.error);
  }, [isOver, state.error]);
  if (isOver) return null;

  return (
    <SoundGate>
      <main className={styles.call} data-testid="call">
        <Hidden>
          <ViewTitle document={`${name} · moim`}>{t.call.title(name)}</ViewTitle>
        </Hidden>
        <CallHead
          call={state}
          isSpeakerView={isSpeakerView}
          onView={setSpeakerView}
          onStats={() => setShowsStats(true)}
        />
        <div className={styles.middle}>
          <div className={styles.stage}>
            <Grid call={call} state={state} isSpeakerView={isSpeakerView} />
            <div className={styles.above}>
              <Banners call={state} />
              <Toasts toasts={toasts} />
            </div>
          </div>
          {isChatting ? (
            <Chat call={call} messages={state.chat} self={state.self.id} onClose={closeChat} />
          ) : null}
        </div>
        <Controls
          room={name}
          chat={{ isOpen: isChatting, unread, toggle: toggleChat, ref: chatButton }}
          onLeave={() => call.leave()}
        />
        {showsStats ? (
          <Stats call={call} state={state} onClose={() => setShowsStats(false)} />
        ) : null}
      </main>
    </SoundGate>
  );
}

/** Tells who comes and goes, on the screen and aloud. */
function useNews(state: CallState, show: (text: string) => void): void {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const seen = useRef<CallState | null>(null);
  useEffect(() => {
    const before = seen.current;
    seen.current = state;
    if (!before) announce(t.said.joinedCall(state.room.name));
    if (!before || before === state) return;
    const news = newsBetween(before, state);
    if (news.length === 0) return;
    announce(news.map((each) => newsText(each, t)).join(" "));
    for (const each of news) {
      // The banner shows what becomes of the connection.
      if (each.kind !== "reconnecting" && each.kind !== "reconnected") show(newsText(each, t));
    }
  }, [state, t, announce, show]);
}

/** Tells why a screen could not be shared; there is no place for it to stay. */
function useScreenTrouble(show: (text: string) => void): void {
  const { t } = useSpeech();
  const { media } = useClient();
  const announce = useAnnounce();
  const { problem } = useReadable(media).screen;
  useEffect(() => {
    if (!problem) return;
    const why = problem === "refused" ? t.problem.screenDenied : t.problem.screenUnknown;
    const text = `${t.problem.titleScreen}. ${why}`;
    announce(text);
    show(text);
  }, [problem, t, announce, show]);
}

/** Chosen once, remembered on the device. */
function useSpeakerView(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => preferences.read("view") === "speaker");
  return [
    on,
    (next) => {
      preferences.write("view", next ? "speaker" : "grid");
      setOn(next);
    },
  ];
}

function useShortcuts(): void {
  const { t } = useSpeech();
  const { media } = useClient();
  const announce = useAnnounce();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event, isMac);
      if (!shortcut) return;
      event.preventDefault();
      const { camera, microphone } = media.getSnapshot();
      if (shortcut === "mic") {
        announce(microphone.wanted ? t.said.micOff : t.said.micOn);
        toggleMic(media);
      } else {
        announce(camera.wanted ? t.said.cameraOff : t.said.cameraOn);
        toggleCamera(media);
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [media, announce, t]);
}
