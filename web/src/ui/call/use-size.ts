import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import type { Stage } from "./layout.ts";

/** Tracks the inner size of an element. */
export function useSize<T extends HTMLElement>(): { ref: RefObject<T | null>; size: Stage } {
  const ref = useRef<T>(null);
  const [size, setSize] = useState<Stage>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((before) =>
        before.width === width && before.height === height ? before : { width, height },
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, size };
}
