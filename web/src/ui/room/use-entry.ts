import type { RoomSummary } from "moim-client";
import { useEffect, useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { knownPassword } from "./passwords.ts";
import { visitedRooms } from "./visited-rooms.ts";

/** The form waits no longer for the server's answers. */
const PATIENCE_MS = 6_000;

interface EntryState {
  /** The list has arrived at least once. */
  loaded: boolean;
  /** The room in the list. */
  summary: RoomSummary | undefined;
  /** Joining needs the room's password, as far as is known. */
  isLocked: boolean;
  /** The server has told all that decides on the form, or is not expected to. */
  isSettled: boolean;
}

/** The room as the server tells it before joining, listed or not. */
export function useEntry(room: string): EntryState {
  const { lobby, server } = useClient();
  const { loaded, rooms, isShown } = useReadable(lobby);
  const isOffline = useReadable(server) === "offline";
  useEffect(() => lobby.open(), [lobby]);
  const summary = rooms.find(({ name, dialect }) => name === room && !dialect);
  const [wasLocked] = useState(() => knownPassword(room) !== "" || visitedRooms.wasLocked(room));
  const [checked, setChecked] = useState<boolean | "refused" | null>(null);
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    const tell = (answer: boolean | "refused") => isCurrent && setChecked(answer);
    lobby.isLocked(room).then(tell, () => tell("refused"));
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [lobby, room]);
  const answer = typeof checked === "boolean" ? checked : wasLocked;
  return {
    loaded,
    summary,
    isLocked: summary?.locked ?? answer,
    isSettled: isOffline || isLate || (checked !== null && (loaded || !isShown)),
  };
}
