import { RequestError } from "moim-client";
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { useClient } from "../client-context.ts";
import { usePermissionRetry } from "../devices/use-permissions.ts";
import { parentSite } from "../embed/parent.ts";
import { isOwnLink, mayStartDevices, rememberAllowed } from "../initiator.ts";
import { ownName } from "../own-name.ts";
import { preferences } from "../preferences.ts";
import { startsDevice, type Visit, visit } from "../visit.ts";
import { CallEnded } from "./call-ended.tsx";
import { loadCallView, loadedCallView } from "./call-view.ts";
import { Elsewhere } from "./elsewhere.tsx";
import { forgetInvitation, takeEntryCredentials } from "./entry-credentials.ts";
import { Joining } from "./joining.tsx";
import { findKeptCall, isReload, tabStorage } from "./kept-call.ts";
import { LeaveDialog } from "./leave-dialog.tsx";
import { pageTabs } from "./other-tab.ts";
import { knownPassword, rememberPassword } from "./passwords.ts";
import { reducePhase } from "./phase.ts";
import { Preview } from "./preview.tsx";
import { isOfInvitation, rejectionOf } from "./rejection.ts";
import { useEmbedding } from "./use-embedding.ts";
import { useKeptCall } from "./use-kept-call.ts";
import { useLeaveGuard } from "./use-leave-guard.ts";
import { visitedRooms } from "./visited-rooms.ts";
import { Waiting } from "./waiting.tsx";

interface Props {
  room: string;
  /** Name in the address. */
  givenName: string | undefined;
  /** The address has `join=1`. */
  skipsPreview: boolean;
}

type Devices = Record<"microphone" | "camera", boolean>;

const NO_DEVICES: Devices = { microphone: false, camera: false };

/** The view at `/r/NAME`: preview, call and the end of it. */
export function Room({ room, givenName, skipsPreview }: Props) {
  const client = useClient();
  const [credentials, setCredentials] = useState(() =>
    takeEntryCredentials(room, location, history, tabStorage()),
  );
  const [kept] = useState(() => (isReload() ? findKeptCall(tabStorage(), room, Date.now()) : null));
  const [name, setName] = useState(kept?.name ?? givenName ?? ownName.read() ?? "");
  const [tabs] = useState(() => pageTabs(room));
  const [phase, dispatch] = useReducer(reducePhase, { name: "preview", rejection: null });
  // Number of the current mount: replies to requests of an earlier one, or to one that was given
  // up, are dropped.
  const mount = useRef(0);
  // A link from another site neither joins nor starts devices before a gesture.
  const [needsGesture, setNeedsGesture] = useState(() => !canStart());
  const [isDirect] = useState(() => (skipsPreview || kept) && name !== "" && !needsGesture);
  /** Another tab took over the last call. */
  const isMoved = useRef(false);
  /** The end of the last call is shown, with the devices stopped. */
  const wasEnded = useRef(false);
  /** Devices that the site around the page ordered for the coming call. */
  const ordered = useRef<Devices | null>(null);

  const join = useCallback(
    async (name: string, password: string) => {
      const requestedIn = mount.current;
      isMoved.current = false;
      setName(name);
      dispatch({ type: "join" });
      try {
        await loadCallView().catch(() => {
          throw new RequestError("unreachable", "the view of a call could not be loaded");
        });
        if (requestedIn !== mount.current) return;
        const onWaiting = () => dispatch({ type: "waiting" });
        const given = password ? { password } : {};
        const call = await client.join({ room, name, ...given, ...credentials, onWaiting });
        if (requestedIn !== mount.current) return call.leave();
        if (password) rememberPassword(room, password);
        // A room behind an application's token or in its frame is not for the start page.
        if (!credentials.token && !parentSite().isThere) {
          visitedRooms.visit(room, call.getSnapshot().room.locked);
        }
        dispatch({ type: "joined", call, now: Date.now() });
      } catch (error) {
        if (requestedIn !== mount.current) return;
        const rejection = rejectionOf(error);
        if (isOfInvitation(rejection.code)) {
          setCredentials((given) => forgetInvitation(room, given, tabStorage()));
        }
        dispatch({ type: "rejected", rejection });
      }
    },
    [client, room, credentials],
  );

  /**
   * Joins, unless another tab of this browser is in the call, or microphones would be on in two calls.
   */
  const joinUnlessElsewhere = useCallback(
    async (name: string, password: string) => {
      const requestedIn = mount.current;
      const isElsewhere = await tabs.isElsewhere();
      const [otherRoom = null] = isElsewhere ? [] : await tabs.microphonesElsewhere();
      if (requestedIn !== mount.current) return;
      // It may still be opening, or starts again with the call.
      const willSpeak = wasEnded.current
        ? (ordered.current ?? devicesToStart(visit)).microphone
        : client.media.getSnapshot().microphone.wanted;
      if (isElsewhere || (otherRoom && willSpeak))
        dispatch({ type: "elsewhere", request: { name, password }, otherRoom });
      else await join(name, password);
    },
    [client, tabs, join],
  );

  // Ahead of the join, which loads it again if this fails.
  useEffect(() => {
    void Promise.all([loadCallView(), client.prepare()]).catch(() => {});
  }, [client]);

  const startMedia = useCallback(
    (
      asked: Pick<Visit, "microphone" | "camera"> = { microphone: undefined, camera: undefined },
    ) => {
      rememberAllowed();
      setNeedsGesture(false);
      void client.media.start(devicesToStart(asked));
    },
    [client],
  );

  const startOrdered = useCallback(
    ({ microphone, camera }: Devices) => {
      void client.media.start({ microphone, camera });
      // Also of devices that are open already.
      void client.media.setMicrophone(microphone);
      void client.media.setCamera(camera);
    },
    [client],
  );

  // The devices run from the preview until the call is left.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (needsGesture) void client.media.start({ microphone: false, camera: false });
    else startMedia(visit);
    return () => {
      mount.current++;
      client.cancelJoin();
      client.media.stop();
    };
  }, [client, startMedia]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (!isDirect) return;
    if (kept?.password) rememberPassword(room, kept.password);
    if (!kept) ownName.takeFromAddress(name, true);
    void joinUnlessElsewhere(name, knownPassword(room));
  }, []);

  const cancel = () => {
    mount.current++;
    dispatch({ type: "cancelled" });
    client.cancelJoin();
  };
  const call = phase.name === "call" ? phase.call : null;
  const guard = useLeaveGuard(call);
  useEmbedding(phase, room, {
    join: ({ name: given, password, microphone, camera }) => {
      if (phase.name !== "preview" && phase.name !== "ended") return;
      const chosen = given?.trim() || name;
      if (!chosen) return;
      // The site that shows the page may ask for devices, and the browser asks in its name.
      setNeedsGesture(false);
      ordered.current = { microphone, camera };
      startOrdered(ordered.current);
      void joinUnlessElsewhere(chosen, password ?? knownPassword(room));
    },
    leave: () => {
      if (call) call.leave();
      else cancel();
    },
  });
  useKeptCall(call && { room, name, password: knownPassword(room) });
  usePermissionRetry();
  useEffect(() => {
    if (!call) return;
    const release = tabs.hold(() => {
      isMoved.current = true;
      call.leave();
    });
    const releaseMicrophone = tabs.holdMicrophone(client.media);
    return () => {
      release();
      releaseMicrophone();
    };
  }, [client, call, tabs]);

  useEffect(() => {
    const onPopState = () => dispatch({ type: "navigatedBack" });
    addEventListener("popstate", onPopState);
    return () => removeEventListener("popstate", onPopState);
  }, []);

  // Stops the devices at the end of a call, and restarts them when the user returns from there.
  const isPreview = phase.name === "preview";
  useEffect(() => {
    if (phase.name === "ended") {
      // Once: what is ordered while the end is shown starts at once.
      if (wasEnded.current) return;
      wasEnded.current = true;
      ordered.current = null;
      const { microphone, camera } = client.media.getSnapshot();
      if (microphone.on || camera.on) setNeedsGesture(false);
      client.media.stop();
    } else if (wasEnded.current) {
      wasEnded.current = false;
      if (ordered.current) startOrdered(ordered.current);
      else if (!needsGesture) startMedia();
    }
  }, [phase.name, client, needsGesture, startMedia, startOrdered]);

  if (phase.name === "ended") {
    return (
      <CallEnded
        room={room}
        error={phase.error}
        isMoved={isMoved.current}
        seconds={phase.seconds}
        onAgain={() => void joinUnlessElsewhere(name, knownPassword(room))}
      />
    );
  }
  if (phase.name === "call") {
    const Call = loadedCallView();
    return (
      <>
        <Call
          call={phase.call}
          onEnd={(error) => dispatch({ type: "ended", call: phase.call, error, now: Date.now() })}
        />
        {guard.isAsking ? <LeaveDialog onStay={guard.stay} onLeave={guard.leave} /> : null}
      </>
    );
  }
  if (phase.name === "elsewhere") {
    const { request, otherRoom } = phase;
    const { name, password } = request;
    const clear = () => (otherRoom === null ? tabs.moveHere() : tabs.muteElsewhere());
    return (
      <Elsewhere
        room={room}
        otherRoom={otherRoom}
        onMove={() => void clear().then(() => join(name, password))}
        onSecond={() => {
          void client.media.setMicrophone(false);
          void join(name, password);
        }}
      />
    );
  }
  if (phase.name === "waiting") {
    return <Waiting room={room} onCancel={cancel} />;
  }
  if (isDirect && !isPreview && phase.rejection === null) {
    return <Joining room={room} onStayOut={kept ? cancel : null} />;
  }
  return (
    <Preview
      room={room}
      name={name}
      hasPass={Boolean(credentials.token || credentials.invitation)}
      rejection={phase.rejection}
      isJoining={!isPreview}
      onStart={needsGesture ? () => startMedia() : null}
      starts={isSecureContext && !needsGesture ? devicesToStart(visit) : NO_DEVICES}
      onJoin={(name, password) => {
        ownName.remember(name);
        void joinUnlessElsewhere(name, password);
      }}
    />
  );
}

function devicesToStart(asked: Pick<Visit, "microphone" | "camera">): Devices {
  const starts = (device: "microphone" | "camera") =>
    startsDevice(asked[device], preferences.read(device), isOwnLink());
  return { microphone: starts("microphone"), camera: starts("camera") };
}

/** An insecure context has no devices to start, and browsers send no `Sec-Fetch-Site` for it. */
function canStart(): boolean {
  return !isSecureContext || mayStartDevices();
}
