import { useSyncExternalStore } from "react";
import { type Preference, type PreferenceKey, preferences } from "./preferences.ts";

/** A preference and the function that changes it. */
export function usePreference<K extends PreferenceKey>(
  key: K,
): [Preference<K> | undefined, (value: Preference<K>) => void] {
  const value = useSyncExternalStore(preferences.subscribe, () => preferences.read(key));
  return [value, (value) => preferences.write(key, value)];
}
