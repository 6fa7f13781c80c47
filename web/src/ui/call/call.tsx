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
import { PlaybackProvider } from "../parts/playback-provider.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import { usePreference } from "../use-preference.ts";
import { Banners } from "./banners.tsx";
import styles from "./call.module.css";
import { CallHead } from "./call-head.tsx";
import { Controls } from "./controls.tsx";
import { Grid } from "./grid.tsx";
import { HostBanners } from "./host-banners.tsx";
import { useMediaSession } from "./media-session.ts";
import { People } from "./people.tsx";
import { Stats } from "./stats.tsx";
import { Toasts, useToasts } from "./toasts.tsx";
import { useCallNews } from "./use-call-news.ts";
import { usePin } from "./use-pin.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useUnread } from "./use-unread.ts";
import { useWakeLock } from "./wake-lock.ts";

export interface CallProps {
  call: JoinedCall;
  /** The call has ended: `error` is null if the user left, else the reason. */
  onEnd: (error: CallState["error"]) => void;
}

/** The call view. */
export function Call({ call, onEnd }: CallProps) {
  const { t } = useI18n();
  const state = useReadable(call);
  const { toasts, show, dismiss } = useToasts();
  const { name } = state.room;
  const [view, setView] = usePreference("view");
  const [pin, setPin] = usePin(name);
  const [showsStats, setShowsStats] = useState(false);
  const [showsPeople, setShowsPeople] = useState(false);
  const [isChatting, setChatting] = useState(false);
  const chatButton = useRef<HTMLButtonElement>(null);
  const unread = useUnread(state, isChatting, show);
  const closeChat = () => {
    setChatting(false);
    chatButton.current?.focus();
  };
  const openChat = () => {
    setChatting(true);
    dismiss("message");
  };
  const toggleChat = () => (isChatting ? closeChat() : openChat());
  const maySpeak = mayPublish(state, "microphone");
  useWakeLock();
  useShortcuts(maySpeak);
  const { media } = useClient();
  useMediaSession(
    media,
    maySpeak,
    useCallback(() => call.leave(), [call]),
  );
  useCallNews(state, show);
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
        {/* Before the tiles, so that the first Tab leads here. */}
        <Controls
          call={call}
          room={name}
          may={{ speak: maySpeak, share: mayPublish(state, "screen") }}
          isHandRaised={state.self.media.hand}
          chat={{ isOpen: isChatting, unread, toggle: toggleChat, ref: chatButton }}
        />
        <CallHead
          call={state}
          isSpeakerView={view === "speaker"}
          onView={(isSpeakerView) => {
            setView(isSpeakerView ? "speaker" : "grid");
            // A view that is chosen is shown.
            setPin(null);
          }}
          onStats={() => setShowsStats(true)}
          onPeople={() => setShowsPeople(true)}
        />
        <div className={styles.middle}>
          <div className={styles.stage}>
            <div className={styles.banners}>
              <Banners call={call} state={state} />
              <HostBanners call={call} state={state} onShowPeople={() => setShowsPeople(true)} />
            </div>
            <div className={styles.tiles}>
              <Grid
                call={call}
                state={state}
                isSpeakerView={view === "speaker"}
                pin={pin}
                onPin={setPin}
              />
              <Toasts toasts={toasts} onChat={openChat} />
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
