import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { Call as JoinedCall } from "../../client/index.ts";
import { Call } from "../call/call.tsx";
import { useClient } from "../client-context.ts";
import { mayStartDevices, rememberAllowed } from "../initiator.ts";
import { ownName } from "../own-name.ts";
import { preferences } from "../preferences.ts";
import { CallEnded } from "./call-ended.tsx";
import { Joining } from "./joining.tsx";
import { knownPassword, rememberPassword } from "./passwords.ts";
import { reducePhase } from "./phase.ts";
import { Preview } from "./preview.tsx";
import { rejectionOf } from "./rejection.ts";
import { Waiting } from "./waiting.tsx";

interface Props {
  room: string;
  /** Name in the address. */
  givenName: string | undefined;
  /** The address has `join=1`. */
  skipsPreview: boolean;
}

/** The view at `/r/NAME`: preview, call and the end of it. */
export function Room({ room, givenName, skipsPreview }: Props) {
  const client = useClient();
  const [name, setName] = useState(givenName ?? ownName.read() ?? "");
  const [phase, dispatch] = useReducer(reducePhase, { name: "preview", rejection: null });
  // Number of the current mount: replies to requests of an earlier one are dropped.
  const mount = useRef(0);
  // A link from another site neither joins nor starts devices before a gesture.
  const [needsGesture, setNeedsGesture] = useState(() => !canStart());
  const [isDirect] = useState(() => skipsPreview && name !== "" && !needsGesture);

  const join = useCallback(
    async (name: string, password: string) => {
      const requestedIn = mount.current;
      setName(name);
      dispatch({ type: "join" });
      try {
        const onWaiting = () => dispatch({ type: "waiting" });
        const given = password ? { password } : {};
        const call = await client.join({ room, name, ...given, onWaiting });
        if (requestedIn !== mount.current) return call.leave();
        if (password) rememberPassword(room, password);
        dispatch({ type: "joined", call });
      } catch (error) {
        if (requestedIn !== mount.current) return;
        dispatch({ type: "rejected", rejection: rejectionOf(error) });
      }
    },
    [client, room],
  );

  const startMedia = useCallback(() => {
    rememberAllowed();
    setNeedsGesture(false);
    void client.media.start({
      microphone: preferences.read("microphone") !== "off",
      camera: preferences.read("camera") !== "off",
    });
  }, [client]);

  // The devices run from the preview until the call is left.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (needsGesture) void client.media.start({ microphone: false, camera: false });
    else startMedia();
    return () => {
      mount.current++;
      client.cancelJoin();
      client.media.stop();
    };
  }, [client, startMedia]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (!isDirect) return;
    ownName.takeFromAddress(name, true);
    void join(name, knownPassword(room));
  }, []);

  const call = phase.name === "call" ? phase.call : null;
  useLeaveOnExit(call);

  useEffect(() => {
    const onPopState = () => dispatch({ type: "navigatedBack" });
    addEventListener("popstate", onPopState);
    return () => removeEventListener("popstate", onPopState);
  }, []);

  // Restarts the devices when the user returns from the end of a call to its preview.
  const isPreview = phase.name === "preview";
  const wasEnded = useRef(false);
  useEffect(() => {
    if (phase.name === "ended") {
      wasEnded.current = true;
      const { microphone, camera } = client.media.getSnapshot();
      if (microphone.on || camera.on) setNeedsGesture(false);
      client.media.stop();
    } else if (wasEnded.current) {
      wasEnded.current = false;
      if (!needsGesture) startMedia();
    }
  }, [phase.name, client, needsGesture, startMedia]);

  if (phase.name === "ended") {
    return (
      <CallEnded
        room={room}
        error={phase.error}
        onAgain={() => void join(name, knownPassword(room))}
      />
    );
  }
  if (phase.name === "call") {
    return (
      <Call
        call={phase.call}
        onEnd={(error) => dispatch({ type: "ended", call: phase.call, error })}
      />
    );
  }
  if (phase.name === "waiting") {
    const cancel = () => {
      dispatch({ type: "cancelled" });
      client.cancelJoin();
    };
    return <Waiting room={room} onCancel={cancel} />;
  }
  if (isDirect && !isPreview && phase.rejection === null) return <Joining room={room} />;
  return (
    <Preview
      room={room}
      name={name}
      rejection={phase.rejection}
      isJoining={!isPreview}
      onStart={needsGesture ? startMedia : null}
      onJoin={(name, password) => {
        ownName.remember(name);
        void join(name, password);
      }}
    />
  );
}

/** An insecure context has no devices to start, and browsers send no `Sec-Fetch-Site` for it. */
function canStart(): boolean {
  return !isSecureContext || mayStartDevices();
}

/** Leaves the call when its view unmounts or the user navigates back. */
function useLeaveOnExit(call: JoinedCall | null): void {
  useEffect(() => {
    if (!call) return;
    // Own history entry, so that navigating back leaves the call and not the site.
    if (history.state?.moim !== "call") {
      history.pushState({ ...history.state, moim: "call" }, "");
    }
    const leave = () => call.leave();
    addEventListener("popstate", leave);
    return () => {
      removeEventListener("popstate", leave);
      call.leave();
    };
  }, [call]);
}
