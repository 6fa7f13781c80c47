import type { Call } from "moim-client";
import { useEffect } from "react";
import { usePreference } from "../use-preference.ts";

/** Applies the stored choices of what is received and sent to a call. */
export function useDataPreferences(call: Call): void {
  const [receive] = usePreference("receive");
  const [send] = usePreference("send");
  useEffect(() => call.setReception(receive ?? "all"), [call, receive]);
  useEffect(() => call.setSendLimit(send ?? "auto"), [call, send]);
}
