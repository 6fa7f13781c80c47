import { useCallback, useEffect, useState } from "react";
import { AdminError } from "../../admin/admin-error.ts";
import type { Paged } from "../../admin/types.ts";
import { useAdminApi } from "./admin-context.ts";

/** Items of one request. */
const PAGE_ITEMS = 50;

export interface Pages<T> {
  /** Null before the first answer. */
  items: T[] | null;
  hasMore: boolean;
  error: string | null;
  /** This server has no such list. */
  isMissing: boolean;
  /** Adds the next page. */
  more: () => void;
  /** Begins anew. */
  reload: () => void;
}

/** A list of the server, page after page. The path may have a query. */
export function usePages<T>(path: string): Pages<T> {
  const api = useAdminApi();
  const [items, setItems] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | undefined>(undefined);
  const [error, setError] = useState<string | null>(null);
  const [isMissing, setMissing] = useState(false);
  const load = useCallback(
    async (cursor: string | undefined) => {
      const query = new URLSearchParams({ limit: String(PAGE_ITEMS) });
      if (cursor !== undefined) query.set("cursor", cursor);
      try {
        const page = await api.get<Paged<T>>(`${path}${path.includes("?") ? "&" : "?"}${query}`);
        setItems((before) =>
          cursor === undefined ? page.items : [...(before ?? []), ...page.items],
        );
        setNext(page.next);
        setError(null);
      } catch (failed) {
        setMissing(failed instanceof AdminError && failed.status === 404);
        setError(failed instanceof Error ? failed.message : String(failed));
      }
    },
    [api, path],
  );
  useEffect(() => {
    void load(undefined);
  }, [load]);
  return {
    items,
    hasMore: next !== undefined,
    error,
    isMissing,
    more: () => void load(next),
    reload: () => void load(undefined),
  };
}
