import { useCallback, useEffect, useRef, useState } from "react";
import { keyOf } from "./use-touch.ts";

/** https://wicg.github.io/document-picture-in-picture/, which TypeScript does not know yet. */
interface DocumentPictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

function documentPip(): DocumentPictureInPicture | undefined {
  return (window as { documentPictureInPicture?: DocumentPictureInPicture })
    .documentPictureInPicture;
}

/** Size of the window in pixels, until the user changes it: the browser remembers that. */
export const PIP_SIZE = { width: 400, height: 300 };

export interface Pip {
  /** The browser has a small window for documents, or at least for videos. */
  isSupported: boolean;
  /** The small window, if it can show a document. */
  window: Window | null;
  /** Key of the tile whose video is in the small window, if that shows a video: it stays the same. */
  videoKey: string | null;
  /** Opens or closes it. */
  toggle: () => void;
  /** Opens it because the user turned to another tab; it closes when the user returns. */
  openForNow: () => void;
}

/**
 * A small window above all others: a document with controls where the browser has those, else the
 * video that `findVideo` returns.
 */
export function usePip(findVideo: () => HTMLVideoElement | null): Pip {
  const [pipWindow, setPipWindow] = useState<Window | null>(null);
  const [video, setVideo] = useState<Element | null>(null);
  const isForNow = useRef(false);
  const isMounted = useRef(true);
  const latestFind = useRef(findVideo);
  latestFind.current = findVideo;

  const open = useCallback((forNow: boolean) => {
    const opened = documentPip()
      ? documentPip()
          ?.requestWindow(PIP_SIZE)
          .then((opened) => {
            // Granted after the end of the call.
            if (!isMounted.current) return opened.close();
            adopt(opened.document);
            opened.addEventListener("pagehide", () => setPipWindow(null), { once: true });
            setPipWindow(opened);
          })
      : latestFind.current()?.requestPictureInPicture();
    isForNow.current = forNow;
    // Refused by the browser or the user's settings: the call stays where it is.
    opened?.catch(() => {});
  }, []);

  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);

  useEffect(() => {
    const update = () => setVideo(document.pictureInPictureElement);
    document.addEventListener("enterpictureinpicture", update);
    document.addEventListener("leavepictureinpicture", update);
    return () => {
      document.removeEventListener("enterpictureinpicture", update);
      document.removeEventListener("leavepictureinpicture", update);
    };
  }, []);

  useEffect(() => {
    if (!pipWindow) return;
    const onVisible = () => {
      if (document.visibilityState === "visible" && isForNow.current) pipWindow.close();
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      // Also when the call ends.
      pipWindow.close();
    };
  }, [pipWindow]);

  return {
    isSupported: documentPip() !== undefined || document.pictureInPictureEnabled === true,
    window: pipWindow,
    videoKey: video && keyOf(video),
    toggle: () => {
      if (pipWindow) pipWindow.close();
      else if (video) document.exitPictureInPicture().catch(() => {});
      else open(false);
    },
    openForNow: useCallback(() => open(true), [open]),
  };
}

/** Gives the window the page's language, theme and styles. */
function adopt(target: Document): void {
  target.title = document.title;
  for (const { name, value } of document.documentElement.attributes) {
    target.documentElement.setAttribute(name, value);
  }
  for (const style of document.querySelectorAll('link[rel="stylesheet"], style')) {
    target.head.append(target.importNode(style, true));
  }
}
