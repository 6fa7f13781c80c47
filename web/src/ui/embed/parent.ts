/** The site that shows this page in a frame. */
import { message, type Order, parseOrder, type Told } from "./orders.ts";

interface Frame {
  /** The window around the frame; its own where there is none. */
  readonly parent: Pick<Window, "postMessage"> | null;
  addEventListener: (type: "message", listener: (event: MessageEvent) => void) => void;
  removeEventListener: (type: "message", listener: (event: MessageEvent) => void) => void;
}

/** The origins that the server lets frame the page (`--embed`), as its head names them. */
export function embedders(head: ParentNode = document.head): readonly string[] {
  const tag = head.querySelector('meta[name="moim-embed"]');
  return tag?.getAttribute("content")?.split(" ").filter(Boolean) ?? [];
}

/** Exchanges messages with the parent window, and with no other and no other origin. */
export class ParentSite {
  readonly #frame: Frame;
  readonly #allowed: readonly string[];
  /** Known from its first order: until then the parent may be anybody. */
  #origin: string | null = null;
  /** The last message of each type, for a parent that begins to listen. */
  readonly #last = new Map<Told["type"], Told>();

  constructor(frame: Frame, allowed: readonly string[]) {
    this.#frame = frame;
    this.#allowed = allowed;
  }

  /** The page is in a frame that may give orders. */
  get isThere(): boolean {
    const { parent } = this.#frame;
    return this.#allowed.length > 0 && parent !== null && parent !== (this.#frame as unknown);
  }

  /** Takes orders until the returned function is called. */
  open(onOrder: (order: Order) => void): () => void {
    if (!this.isThere) return () => {};
    const onMessage = ({ source, origin, data }: MessageEvent) => {
      if (source !== this.#frame.parent || !this.#allowed.includes(origin)) return;
      const order = parseOrder(data);
      if (!order) return;
      const isNew = this.#origin !== origin;
      this.#origin = origin;
      if (isNew) for (const told of this.#last.values()) this.#post(told, origin);
      if (order.type !== "listen") onOrder(order);
    };
    this.#frame.addEventListener("message", onMessage);
    // It says nothing about the call, and the parent's origin is not known yet.
    this.#post({ type: "ready" }, "*");
    return () => this.#frame.removeEventListener("message", onMessage);
  }

  tell(told: Told): void {
    if (!this.isThere || isSame(this.#last.get(told.type), told)) return;
    this.#last.set(told.type, told);
    if (this.#origin !== null) this.#post(told, this.#origin);
  }

  #post(told: Told, origin: string): void {
    this.#frame.parent?.postMessage(message(told), origin);
  }
}

function isSame(last: Told | undefined, told: Told): boolean {
  return last !== undefined && JSON.stringify(last) === JSON.stringify(told);
}

let site: ParentSite | undefined;

/** The site around this page. */
export function parentSite(): ParentSite {
  site ??= new ParentSite(window, embedders());
  return site;
}
