import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { Call as JoinedCall } from "../../client/index.ts";
import { Call } from "../call/call.tsx";
import { useClient } from "../client-context.ts";
import { mayStartDevices, rememberAllowed } from "../initiator.ts";
import { ownName } from "../own-name.ts";
import { preferences } from "../preferences.ts";
import { Left } from "./left.tsx";
import { knownPassword, rememberPassword } from "./passwords.ts";
import { after } from "./phase.ts";
import { Preview } from "./preview.tsx";
import { refusalOf } from "./refusal.ts";
import { Waiting } from "./waiting.tsx";

interface Props {
  room: string;
  /** From the address. */
  givenName: string | undefined;
  /** The address asks to skip the preview. */
  skipsPreview: boolean;
}

/** `/r/NAME`: preview, call, and after it. */
export function Room({ room, givenName, skipsPreview }: Props) {
  const client = useClient();
  const [name, setName] = useState(givenName ?? ownName.read() ?? "");
  const [phase, happen] = useReducer(after, { at: "preview", refusal: null });
  // Whoever is here when an answer comes: an answer for a page that is gone is let go.
  const visit = useRef(0);
  // Another site's link is looked at first: it neither joins nor opens anything by itself.
  const [isHeld, setHeld] = useState(() => !canStart());
  const [isDirect] = useState(() => skipsPreview && name !== "" && !isHeld);

  const join = useCallback(
    async (name: string, password: string) => {
      const asked = visit.current;
      setName(name);
      happen({ type: "asked" });
      try {
        const call = await client.join({ room, name, ...(password ? { password } : {}) });
        if (asked !== visit.current) return call.leave();
        if (password) rememberPassword(room, password);
        happen({ type: "joined", call });
      } catch (error) {
        if (asked === visit.current) happen({ type: "refused", refusal: refusalOf(error) });
      }
    },
    [client, room],
  );

  const startMedia = useCallback(() => {
    rememberAllowed();
    setHeld(false);
    void client.media.start({
      microphone: preferences.read("microphone") !== "off",
      camera: preferences.read("camera") !== "off",
    });
  }, [client]);

  // The devices are open from the preview on until the call is left.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (isHeld) void client.media.start({ microphone: false, camera: false });
    else startMedia();
    return () => {
      visit.current++;
      client.media.stop();
    };
  }, [client, startMedia]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on arrival.
  useEffect(() => {
    if (!isDirect) return;
    ownName.takeFromAddress(name, true);
    void join(name, knownPassword(room));
  }, []);

  const call = phase.at === "call" ? phase.call : null;
  useLeaving(call);

  useEffect(() => {
    const goBack = () => happen({ type: "wentBack" });
    addEventListener("popstate", goBack);
    return () => removeEventListener("popstate", goBack);
  }, []);

  // Back from the end of a call to its preview: the devices open again.
  const isPreview = phase.at === "preview";
  const wasLeft = useRef(false);
  useEffect(() => {
    if (phase.at === "left") {
      wasLeft.current = true;
      const { microphone, camera } = client.media.getSnapshot();
      if (microphone.on || camera.on) setHeld(false);
      client.media.stop();
    } else if (wasLeft.current) {
      wasLeft.current = false;
      if (!isHeld) startMedia();
    }
  }, [phase.at, client, isHeld, startMedia]);

  if (phase.at === "left") {
    return (
      <Left room={room} error={phase.error} onAgain={() => void join(name, knownPassword(room))} />
    );
  }
  if (phase.at === "call") {
    return (
      <Call
        call={phase.call}
        onEnd={(error) => happen({ type: "ended", call: phase.call, error })}
      />
    );
  }
  if (isDirect && !isPreview && phase.refusal === null) return <Waiting room={room} />;
  return (
    <Preview
      room={room}
      name={name}
      refusal={phase.refusal}
      isJoining={!isPreview}
      onStart={isHeld ? startMedia : null}
      onJoin={(name, password) => {
        ownName.remember(name);
        void join(name, password);
      }}
    />
  );
}

/** Without a secure context there are no devices to start, and no word of who navigated here. */
function canStart(): boolean {
  return !isSecureContext || mayStartDevices();
}

/** A call is left when its view goes, and when the person goes back in the browser's history. */
function useLeaving(call: JoinedCall | null): void {
  useEffect(() => {
    if (!call) return;
    // An entry of its own: going back leaves the call, not the site.
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
