import { type ComponentType, useEffect, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { LoadOnce } from "./load-once.ts";

/**
 * A part of the page whose script is a file of its own, loaded when it is first shown. One that
 * can't be loaded, as offline or after an upgrade of the server, shows `Failed` in its place until
 * it is opened again, which is another attempt.
 */
export function loadPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Failed: ComponentType = NotLoaded,
): ComponentType<Props> {
  const once = new LoadOnce(load);
  return function Part(props: Props) {
    const [state, setState] = useState<"loading" | "loaded" | "failed">("loading");
    useEffect(() => {
      if (once.loaded) return;
      let isShown = true;
      const set = (state: "loaded" | "failed") => () => isShown && setState(state);
      once.load().then(set("loaded"), set("failed"));
      return () => {
        isShown = false;
      };
    }, []);
    const Loaded = once.loaded;
    if (Loaded) return <Loaded {...props} />;
    return state === "failed" ? <Failed /> : null;
  };
}

export function NotLoaded() {
  const { t } = useI18n();
  return <p role="status">{t.errors.offline}</p>;
}
