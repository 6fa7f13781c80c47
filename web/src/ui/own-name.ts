/**
 * The user's own name. A name in the address applies to this document only. It is stored if none
 * was, and replaces a stored one only when the user types it or joins with it.
 */
import { preferences } from "./preferences.ts";

let fromAddress: string | undefined;

export const ownName = {
  read(): string | undefined {
    return fromAddress ?? preferences.read("name");
  },

  /** `isTrusted`: the navigation did not come from another site. */
  takeFromAddress(name: string, isTrusted: boolean): void {
    fromAddress = name;
    if (isTrusted && preferences.read("name") === undefined) preferences.write("name", name);
  },

  remember(name: string): void {
    fromAddress = undefined;
    preferences.write("name", name);
  },
};
