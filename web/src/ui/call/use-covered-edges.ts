import { useEffect, useState } from "react";
import { type CoveredEdges, coveredEdges, NOTHING_COVERED } from "./covered-edges.ts";

/** The edges that a keyboard covers at present. Browsers that make the window lower cover none. */
export function useCoveredEdges(): CoveredEdges {
  const [edges, setEdges] = useState(NOTHING_COVERED);
  useEffect(() => {
    const view = window.visualViewport;
    if (!view) return;
    const read = () => {
      const next = coveredEdges(innerHeight, view);
      setEdges((before) =>
        before.top === next.top && before.bottom === next.bottom ? before : next,
      );
    };
    read();
    view.addEventListener("resize", read);
    view.addEventListener("scroll", read);
    return () => {
      view.removeEventListener("resize", read);
      view.removeEventListener("scroll", read);
    };
  }, []);
  return edges;
}
