/** React context for the client library, and a hook that subscribes to its values. */

import type { Client, Readable } from "moim-client";
import { createContext, use, useSyncExternalStore } from "react";

export const ClientContext = createContext<Client | null>(null);

export function useClient(): Client {
  const client = use(ClientContext);
  if (!client) throw new Error("useClient needs a ClientContext above it");
  return client;
}

export function useReadable<T>(readable: Readable<T>): T {
  return useSyncExternalStore(readable.subscribe, readable.getSnapshot);
}
