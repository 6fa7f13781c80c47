import { useState, useSyncExternalStore } from "react";
import { type PreferenceKey, preferences } from "./preferences.ts";

/** A preference and the function that changes it, also where nothing can be stored. */
export function usePreference(key: PreferenceKey): [string | undefined, (value: string) => void] {
  const stored = useSyncExternalStore(preferences.subscribe, () => preferences.read(key));
  const [unstored, setUnstored] = useState<string>();
  return [
    stored ?? unstored,
    (value) => {
      setUnstored(value);
      preferences.write(key, value);
    },
  ];
}
