import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/** Distance from the end (px) within which a log still follows new messages. */
const FOLLOW_DISTANCE = 40;

/**
 * Keeps the end of a log in view, unless the user has scrolled up: when there is a new message, and
 * when the log changes its size, as by a keyboard that opens.
 */
export function useFollow(messages: unknown): RefObject<HTMLDivElement | null> {
  const ref = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const log = ref.current;
    if (!log) return;
    const sizeOf = () => `${log.clientHeight} ${log.clientWidth} ${log.scrollHeight}`;
    let size = sizeOf();
    const settle = () => {
      size = sizeOf();
      if (follows.current) log.scrollTop = log.scrollHeight;
    };
    const onScroll = () => {
      // The browser moves the text when the log changes its size; that is nobody's wish.
      if (size !== sizeOf()) return settle();
      const belowView = log.scrollHeight - log.scrollTop - log.clientHeight;
      follows.current = belowView < FOLLOW_DISTANCE;
    };
    log.addEventListener("scroll", onScroll, { passive: true });
    const observer = new ResizeObserver(settle);
    observer.observe(log);
    // What grows within: the card of a file, a picture that is drawn later, and other words.
    const changes = new MutationObserver(settle);
    changes.observe(log, {
      childList: true,
      characterData: true,
      subtree: true,
      attributeFilter: ["width", "height"],
    });
    return () => {
      log.removeEventListener("scroll", onScroll);
      observer.disconnect();
      changes.disconnect();
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new messages trigger the scroll.
  useLayoutEffect(() => {
    const log = ref.current;
    if (log && follows.current) log.scrollTop = log.scrollHeight;
  }, [messages]);
  return ref;
}
