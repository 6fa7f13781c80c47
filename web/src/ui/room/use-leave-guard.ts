import type { Call } from "moim-client";
import { useEffect, useRef, useState } from "react";

export interface LeaveGuard {
  /** Going back was about to leave the others. */
  isAsking: boolean;
  stay: () => void;
  leave: () => void;
}

/**
 * Leaves the call when its view unmounts or the user navigates back. While others are there, going
 * back asks first and closing or reloading the page lets the browser ask.
 */
export function useLeaveGuard(call: Call | null): LeaveGuard {
  const [isAsking, setAsking] = useState(false);
  const isDecided = useRef(false);
  useEffect(() => {
    if (!call) return;
    isDecided.current = false;
    setAsking(false);
    enterHistory();
    const path = location.pathname;
    const hasCompany = () => {
      const { status, others } = call.getSnapshot();
      return status !== "ended" && others.length > 0;
    };
    const onPopState = () => {
      const hasLeftRoom = location.pathname !== path;
      if (isDecided.current || hasLeftRoom || !hasCompany()) return call.leave();
      enterHistory();
      setAsking(true);
      // Going back once more is an answer, too.
      isDecided.current = true;
    };
    const onBeforeUnload = (event: Event) => {
      if (hasCompany()) event.preventDefault();
    };
    addEventListener("popstate", onPopState);
    addEventListener("beforeunload", onBeforeUnload);
    return () => {
      removeEventListener("popstate", onPopState);
      removeEventListener("beforeunload", onBeforeUnload);
      call.leave();
    };
  }, [call]);
  return {
    isAsking,
    stay: () => {
      isDecided.current = false;
      setAsking(false);
    },
    leave: () => {
      isDecided.current = true;
      history.back();
    },
  };
}

/** Own history entry, so that navigating back leaves the call and not the site. */
function enterHistory(): void {
  if (history.state?.moim !== "call") history.pushState({ ...history.state, moim: "call" }, "");
}
