/**
 * The person's own name. What an address brings holds for this document; it is remembered where
 * none was, and replaces a remembered one only once the person types it or joins by it.
 */
import { preferences } from "./preferences.ts";

let given: string | undefined;

export const ownName = {
  read(): string | undefined {
    return given ?? preferences.read("name");
  },

  /** `isTrusted`: no other site led here. */
  takeFromAddress(name: string, isTrusted: boolean): void {
    given = name;
    if (isTrusted && preferences.read("name") === undefined) preferences.write("name", name);
  },

  remember(name: string): void {
    given = undefined;
    preferences.write("name", name);
  },
};
