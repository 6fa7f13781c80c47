/** Parameters of this visit from the address: `?mic=0&camera=1&lang=ko&theme=dark`. Nothing is stored. */

import { isLanguage, type Language } from "./i18n/language.ts";

export type Theme = "light" | "dark";

export interface Visit {
  microphone: boolean | undefined;
  camera: boolean | undefined;
  language: Language | undefined;
  theme: Theme | undefined;
}

/** Parses the query of an address. Unknown values are as none. */
export function parseVisit(search: string): Visit {
  const query = new URLSearchParams(search);
  const language = query.get("lang")?.toLowerCase().split("-")[0];
  const theme = query.get("theme");
  return {
    microphone: parseSwitch(query.get("mic")),
    camera: parseSwitch(query.get("camera")),
    language: isLanguage(language) ? language : undefined,
    theme: theme === "light" || theme === "dark" ? theme : undefined,
  };
}

function parseSwitch(value: string | null): boolean | undefined {
  return value === "1" ? true : value === "0" ? false : undefined;
}

/**
 * True if a device starts without a gesture. The address may always keep it off. It may turn on a
 * device that was off the last time only if this page made the address: a link in a mail must not.
 */
export function startsDevice(
  asked: boolean | undefined,
  stored: string | undefined,
  isOwnLink: boolean,
): boolean {
  if (asked === false || (asked === true && isOwnLink)) return asked;
  return stored !== "off";
}

/** The visit that began with this document. */
export const visit: Visit = parseVisit(globalThis.location?.search ?? "");
