// Options of a client, and where it stores data that outlives it.

/** The part of `Storage` that a client uses. Methods may throw, as in private windows. */
export type KeyValueStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Options of `createClient`. */
export interface ClientOptions {
  /**
   * Address of the server, as `https://moim.example`, without a path. If absent, the origin of the
   * page. A server at another origin must allow that of the page:
   * `moim serve --origin https://your.example`.
   */
  readonly server?: string | URL;
  /**
   * Keeps the chosen devices and the secret by which rooms recognize this browser. If absent,
   * `localStorage`; null keeps both no longer than the client.
   */
  readonly storage?: KeyValueStorage | null;
  /**
   * Keeps the proof by which a reloaded page takes the place of the one before. If absent,
   * `sessionStorage`; null lets the earlier one leave when the server notices. Never share it between
   * tabs.
   */
  readonly tabStorage?: KeyValueStorage | null;
  /**
   * Start of the keys in both storages. If absent, `moim`, followed by the server's origin if it is
   * not that of the page: one server must not learn the secret for another.
   */
  readonly storagePrefix?: string;
}

/** A client's options after validation. */
export interface ValidOptions {
  /** Origin of the server; undefined if it is that of the page. */
  readonly server: string | undefined;
  readonly storage: KeyValueStorage | undefined;
  readonly tabStorage: KeyValueStorage | undefined;
}

/** The browser's storages, read only if they are used: reading them may throw. */
export type Storages = Pick<Window, "localStorage" | "sessionStorage">;

/** Validates `options` for a page of that origin. Throws a `TypeError`. */
export function validOptions(
  options: ClientOptions,
  pageOrigin: string,
  storages: Storages,
): ValidOptions {
  const origin = options.server === undefined ? pageOrigin : originOf(options.server);
  const isOwn = origin === pageOrigin;
  const prefix = options.storagePrefix ?? (isOwn ? "moim" : `moim ${origin}`);
  const own = (name: keyof Storages) => ifAllowed(() => storages[name]);
  const { storage = own("localStorage"), tabStorage = own("sessionStorage") } = options;
  return {
    server: isOwn ? undefined : origin,
    storage: withPrefix(storage, prefix),
    tabStorage: withPrefix(tabStorage, prefix),
  };
}

function originOf(server: string | URL): string {
  const url = ifAllowed(() => new URL(server));
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`the server's address must be like https://moim.example, not ${server}`);
  }
  if (url.pathname !== "/" || url.search || url.hash || url.username || url.password) {
    throw new TypeError(`the server's address must be an origin like ${url.origin}, not ${server}`);
  }
  return url.origin;
}

function ifAllowed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A storage whose keys start with `prefix` instead of `moim`. */
function withPrefix(
  storage: KeyValueStorage | null | undefined,
  prefix: string,
): KeyValueStorage | undefined {
  if (!storage) return undefined;
  if (prefix === "moim") return storage;
  const own = (key: string) => key.replace(/^moim/, () => prefix);
  return {
    getItem: (key) => storage.getItem(own(key)),
    setItem: (key, value) => storage.setItem(own(key), value),
    removeItem: (key) => storage.removeItem(own(key)),
  };
}
