import {
  type CallState,
  isRefusal,
  type Call as JoinedCall,
  mayChat,
  mayPublish,
  maySendFiles,
} from "moim-client";
import { type CSSProperties, useCallback, useEffect, useRef, useState } from "react";
import { I18nProvider as AriaI18n } from "react-aria-components";
import { useAnnounce } from "../announcer.tsx";
import { Chat } from "../chat/chat.tsx";
import { useFileNews } from "../chat/use-files.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useDataPreferences } from "../devices/use-data-preferences.ts";
import { usePushToTalk } from "../devices/use-push-to-talk.ts";
import { useI18n } from "../i18n/context.tsx";
import { usePollTexts } from "../parts/part-texts.ts";
import { PlaybackProvider } from "../parts/playback-provider.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import { useMediaQuery } from "../use-media-query.ts";
import { usePreference } from "../use-preference.ts";
import { Banners } from "./banners.tsx";
import styles from "./call.module.css";
import { CallHead } from "./call-head.tsx";
import { Controls } from "./controls.tsx";
import { focusNextPart, useKeptFocus } from "./focus-parts.ts";
import { Grid, videoOf } from "./grid.tsx";
import { HostBanners } from "./host-banners.tsx";
import { InfoPanel } from "./info-panel.tsx";
import { LayoutTools } from "./layout-menu.tsx";
import { useLinkItem } from "./link-item.ts";
import { useMediaSession } from "./media-session.ts";
import type { MoreItem } from "./more.tsx";
import { People } from "./people.tsx";
import { PipWindow, pipTile } from "./pip-window.tsx";
import { PollsPanel } from "./polls-panel.tsx";
import { SettingsDialog, type SettingsTab } from "./settings-dialog.tsx";
import { Stats } from "./stats.tsx";
import { Toasts, useToasts } from "./toasts.tsx";
import { useCallNews } from "./use-call-news.ts";
import { useCoveredEdges } from "./use-covered-edges.ts";
import { useDesktopNotices } from "./use-desktop-notices.ts";
import { usePanel } from "./use-panel.ts";
import { usePin } from "./use-pin.ts";
import { usePip } from "./use-pip.ts";
import { pendingPolls, usePollNews } from "./use-poll-news.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useUnread } from "./use-unread.ts";
import { useWakeLock } from "./wake-lock.ts";

export interface CallProps {
  call: JoinedCall;
  /** The call has ended: `error` is null if the user left, else the reason. */
  onEnd: (error: CallState["error"]) => void;
}

/** A bar of all controls; where there is no room for them, five of them and the rest in a sheet. */
const ROOMY = "(min-width: 760px) and (min-height: 481px)";

/** The call view. */
export function Call({ call, onEnd }: CallProps) {
  const { t, language } = useI18n();
  const pollTexts = usePollTexts();
  const state = useReadable(call);
  const { toasts, show, close: closeToast, closeAll } = useToasts();
  const { name } = state.room;
  const [view = "auto", setView] = usePreference("view");
  const [pin, setPin] = usePin(name);
  const [settings, setSettings] = useState<SettingsTab | null>(null);
  const isRoomy = useMediaQuery(ROOMY);
  const { panel, isRestored, open, close, toggle } = usePanel(name);
  const unread = useUnread(state, panel === "chat", show);
  useEffect(() => {
    if (panel === "chat") closeAll();
  }, [panel, closeAll]);
  const root = useKeptFocus();
  const link = useLinkItem(name, show, () => open("info"));
  const maySpeak = mayPublish(state, "microphone");
  const covered = useCoveredEdges();
  const edges = {
    "--covered-top": `${covered.top}px`,
    "--covered-bottom": `${covered.bottom}px`,
  } as CSSProperties;
  useWakeLock();
  useShortcuts(maySpeak, {
    bar: focusNextPart,
    help: () => setSettings("shortcuts"),
  });
  usePushToTalk(maySpeak);
  useDataPreferences(call);
  const { media } = useClient();
  const popped = pipTile(state)?.key ?? null;
  const pip = usePip(() => videoOf(popped));
  const leave = useCallback(() => call.leave(), [call]);
  useMediaSession(media, maySpeak, { leave, popOut: pip.openForNow });
  useCallNews(state, show, () => open("people"));
  useFileNews(call, state, show);
  usePollNews(state, panel === "polls", show, () => open("polls"));
  useDesktopNotices(state, open);
  useScreenProblem(show);

  const isOver = state.status === "ended";
  const latestOnEnd = useRef(onEnd);
  latestOnEnd.current = onEnd;
  useEffect(() => {
    if (isOver) latestOnEnd.current(state.error);
  }, [isOver, state.error]);
  if (isOver) return null;

  const panels = { panel, toggle };
  const panelProps = { call, state, onClose: close, takesFocus: !isRestored };
  const openSettings = () => setSettings("media");
  const pending = pendingPolls(state.polls);
  const items: MoreItem[] = [
    link,
    {
      icon: "poll",
      label: pending > 0 ? pollTexts.titleOpen(pending) : pollTexts.title,
      testId: "open-polls",
      run: () => open("polls"),
    },
    { icon: "info", label: t.panel.info, run: () => open("info") },
    { icon: "stats", label: t.controls.stats, run: () => open("connection") },
    ...(pip.isSupported && state.others.length > 0
      ? [{ icon: "popOut" as const, label: t.layout.popOut, testId: "pop-out", run: pip.toggle }]
      : []),
  ];
  return (
    <PlaybackProvider>
      <AriaI18n locale={language}>
        <main ref={root} className={styles.call} style={edges} data-testid="call">
          <VisuallyHidden>
            <ViewTitle document={`${name} · moim`}>{t.call.title(name)}</ViewTitle>
          </VisuallyHidden>
          {/* Before the tiles, so that the first Tab leads here. */}
          <Controls
            call={call}
            isRoomy={isRoomy}
            may={{ speak: maySpeak, share: mayPublish(state, "screen") }}
            isHandRaised={state.self.media.hand}
            counts={{
              people: state.others.length + 1,
              waiting: state.waiting.length,
              unread,
              polls: pending,
            }}
            {...panels}
            items={items}
            onSettings={openSettings}
            onShortcuts={() => setSettings("shortcuts")}
          />
          <CallHead
            call={state}
            isRoomy={isRoomy}
            {...panels}
            onSettings={openSettings}
            layout={
              <LayoutTools
                view={view}
                others={state.others.length}
                onView={(next) => {
                  setView(next);
                  // A view that is chosen is shown.
                  setPin(null);
                }}
              />
            }
          />
          <div className={styles.middle}>
            <div className={styles.stage}>
              <div className={styles.banners}>
                <Banners call={call} state={state} />
                <HostBanners
                  call={call}
                  state={state}
                  isListShown={panel === "people"}
                  onShowPeople={() => open("people")}
                />
              </div>
              <div className={styles.tiles}>
                <Grid
                  call={call}
                  state={state}
                  view={view}
                  pin={pin}
                  onPin={setPin}
                  popped={pip.window ? popped : pip.videoKey}
                >
                  <Toasts toasts={toasts} onClose={closeToast} onChat={() => open("chat")} />
                </Grid>
              </div>
            </div>
            {panel === "chat" ? (
              <Chat {...panelProps} mayWrite={mayChat(state)} mayShare={maySendFiles(state)} />
            ) : panel === "people" ? (
              <People {...panelProps} />
            ) : panel === "polls" ? (
              <PollsPanel {...panelProps} />
            ) : panel === "info" ? (
              <InfoPanel {...panelProps} />
            ) : panel === "connection" ? (
              <Stats {...panelProps} />
            ) : null}
          </div>
          {pip.window ? <PipWindow call={call} state={state} target={pip.window} /> : null}
          {settings ? (
            <SettingsDialog tab={settings} onTab={setSettings} onClose={() => setSettings(null)} />
          ) : null}
        </main>
      </AriaI18n>
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
    const cause = isRefusal(problem) ? t.problem.screenDenied : t.problem.screenUnknown;
    const text = `${t.problem.titleScreen}. ${cause}`;
    announce(text);
    show(text);
  }, [problem, t, announce, show]);
}
