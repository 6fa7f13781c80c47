import { useCallback, useEffect, useRef, useState } from "react";
import {
  type CallState,
  type Call as JoinedCall,
  mayChat,
  mayPublish,
} from "../../client/index.ts";
import { useAnnounce } from "../announcer.tsx";
import { Chat } from "../chat/chat.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { toggleCamera, toggleMic } from "../parts/media-toggles.tsx";
import { PlaybackProvider } from "../parts/playback-provider.tsx";
import { shortcutOf } from "../parts/shortcuts.ts";
import { ViewTitle } from "../parts/view-title.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import { isMac } from "../platform.ts";
import { preferences } from "../preferences.ts";
import { Banners } from "./banners.tsx";
import styles from "./call.module.css";
import { callEventsBetween, callEventText } from "./call-events.ts";
import { CallHead } from "./call-head.tsx";
import { Controls } from "./controls.tsx";
import { Grid } from "./grid.tsx";
import { HostBanners } from "./host-banners.tsx";
import { useMediaSession } from "./media-session.ts";
import { People } from "./people.tsx";
import { Stats } from "./stats.tsx";
import { Toasts, useToasts } from "./toasts.tsx";
import { useUnread } from "./use-unread.ts";
import { useWakeLock } from "./wake-lock.ts";

interface Props {
  call: JoinedCall;
  /** The call has ended: `error` is null if the user left, else the reason. */
  onEnd: (error: CallState["error"]) => void;
}

/** The call view. */
export function Call({ call, onEnd }: Props) {
  const { t } = useI18n();
  const state = useReadable(call);
  const { toasts, show } = useToasts();
  const { name } = state.room;
  const [isSpeakerView, setSpeakerView] = useSpeakerView();
  const [showsStats, setShowsStats] = useState(false);
  const [showsPeople, setShowsPeople] = useState(false);
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
  useCallEvents(state, show);
  useScreenProblem(show);

  const isOver = state.status === "ended";
  const latestOnEnd = useRef(onEnd);
  latestOnEnd.current = onEnd;
  useEffect(() => {
    if (isOver) latestOnEnd.current(state.error);
  }, [isOver, state.error]);
  if (isOver) return null;

  return (
    <PlaybackProvider>
      <main className={styles.call} data-testid="call">
        <VisuallyHidden>
          <ViewTitle document={`${name} · moim`}>{t.call.title(name)}</ViewTitle>
        </VisuallyHidden>
        <CallHead
          call={state}
          isSpeakerView={isSpeakerView}
          onView={setSpeakerView}
          onStats={() => setShowsStats(true)}
          onPeople={() => setShowsPeople(true)}
        />
        <div className={styles.middle}>
          <div className={styles.stage}>
            <Grid call={call} state={state} isSpeakerView={isSpeakerView} />
            <div className={styles.overlay}>
              <Banners call={state} />
              <HostBanners call={call} state={state} onShowPeople={() => setShowsPeople(true)} />
              <Toasts toasts={toasts} />
            </div>
          </div>
          {isChatting ? (
            <Chat
              call={call}
              messages={state.chat}
              self={state.self.id}
              mayWrite={mayChat(state)}
              onClose={closeChat}
            />
          ) : null}
        </div>
        <Controls
          room={name}
          may={{ speak: mayPublish(state, "microphone"), share: mayPublish(state, "screen") }}
          chat={{ isOpen: isChatting, unread, toggle: toggleChat, ref: chatButton }}
          onLeave={() => call.leave()}
        />
        {showsPeople ? (
          <People call={call} state={state} onClose={() => setShowsPeople(false)} />
        ) : null}
        {showsStats ? (
          <Stats call={call} state={state} onClose={() => setShowsStats(false)} />
        ) : null}
      </main>
    </PlaybackProvider>
  );
}

/** Shows and announces call events, such as participants joining and leaving. */
function useCallEvents(state: CallState, show: (text: string) => void): void {
  const { t } = useI18n();
  const announce = useAnnounce();
  const previous = useRef<CallState | null>(null);
  useEffect(() => {
    const before = previous.current;
    previous.current = state;
    if (!before) announce(t.announcements.joinedCall(state.room.name));
    if (!before || before === state) return;
    const events = callEventsBetween(before, state);
    if (events.length === 0) return;
    announce(events.map((event) => callEventText(event, t)).join(" "));
    for (const event of events) {
      // A banner already shows the state of the connection.
      if (event.kind === "reconnecting" || event.kind === "reconnected") continue;
      show(callEventText(event, t));
    }
  }, [state, t, announce, show]);
}

/** Shows why screen sharing failed, as a toast: a failed share leaves no tile to explain it. */
function useScreenProblem(show: (text: string) => void): void {
  const { t } = useI18n();
  const { media } = useClient();
  const announce = useAnnounce();
  const { problem } = useReadable(media).screen;
  useEffect(() => {
    if (!problem) return;
    const cause = problem === "refused" ? t.problem.screenDenied : t.problem.screenUnknown;
    const text = `${t.problem.titleScreen}. ${cause}`;
    announce(text);
    show(text);
  }, [problem, t, announce, show]);
}

/** Layout preference, stored on the device. */
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
  const { t } = useI18n();
  const { media } = useClient();
  const announce = useAnnounce();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event, isMac);
      if (!shortcut) return;
      event.preventDefault();
      const { camera, microphone } = media.getSnapshot();
      if (shortcut === "mic") {
        announce(microphone.wanted ? t.announcements.micOff : t.announcements.micOn);
        toggleMic(media);
      } else {
        announce(camera.wanted ? t.announcements.cameraOff : t.announcements.cameraOn);
        toggleCamera(media);
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [media, announce, t]);
}
