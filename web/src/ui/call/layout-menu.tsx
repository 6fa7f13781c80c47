import { useId, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { canFillScreen, useFullScreen } from "../parts/full-screen.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { Popover } from "../parts/popover.tsx";
import { usePreference } from "../use-preference.ts";
import { HeadTool } from "./head-tool.tsx";
import styles from "./menu.module.css";
import { SELF_VIEWS, VIEWS, type View } from "./view.ts";
import { ViewToggle } from "./view-toggle.tsx";

interface Props {
  view: View;
  onView: (view: View) => void;
}

const ICONS: Readonly<Record<View, IconName>> = {
  auto: "auto",
  grid: "grid",
  speaker: "speakerView",
  side: "side",
};

/** The head's tools for the layout: the switch of the speaker view, and the menu of everything. */
export function LayoutTools({ others, view, onView }: Props & { others: number }) {
  // Alone there is nothing to lay out, and with two people no speaker to choose.
  return (
    <>
      {others > 1 ? (
        <ViewToggle
          isSpeakerView={view === "speaker"}
          onView={(isSpeakerView) => onView(isSpeakerView ? "speaker" : "auto")}
        />
      ) : null}
      {others > 0 ? <LayoutMenu view={view} onView={onView} /> : null}
    </>
  );
}

/** Button with a menu of layouts, of one's own video and of what the stage leaves out. */
function LayoutMenu({ view, onView }: Props) {
  const { t } = useI18n();
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <HeadTool
        ref={button}
        icon="layout"
        label={t.layout.title}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-testid="open-layout"
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen ? (
        <Popover anchor={button} label={t.layout.title} onClose={() => setOpen(false)}>
          <Choices view={view} onView={onView} onDone={() => setOpen(false)} />
        </Popover>
      ) : null}
    </>
  );
}

function Choices({ view, onView, onDone }: Props & { onDone: () => void }) {
  const { t } = useI18n();
  const id = useId();
  const [self = "shown", setSelf] = usePreference("self");
  const [cameraless, setCameraless] = usePreference("cameraless");
  const [isFull, toggleFull] = useFullScreen();
  return (
    <>
      <fieldset className={styles.group}>
        <legend className={styles.legend}>{t.layout.title}</legend>
        {VIEWS.map((each) => (
          <label key={each} className={styles.choice}>
            <input
              type="radio"
              name={`${id} view`}
              checked={each === view}
              data-testid={`view-${each}`}
              onChange={() => onView(each)}
            />
            <Icon name={ICONS[each]} size={20} />
            {t.layout.view[each]}
          </label>
        ))}
      </fieldset>
      <fieldset className={styles.group}>
        <legend className={styles.legend}>{t.layout.own}</legend>
        {SELF_VIEWS.map((each) => (
          <label key={each} className={styles.choice}>
            <input
              type="radio"
              name={`${id} self`}
              checked={each === self}
              data-testid={`self-${each}`}
              onChange={() => setSelf(each)}
            />
            {t.layout.self[each]}
          </label>
        ))}
      </fieldset>
      <label className={styles.choice}>
        <input
          type="checkbox"
          checked={cameraless === "hidden"}
          data-testid="hide-cameraless"
          onChange={({ target }) => setCameraless(target.checked ? "hidden" : "shown")}
        />
        {t.layout.hideCameraless}
      </label>
      {canFillScreen ? (
        <button
          type="button"
          className={styles.action}
          data-testid="full-screen"
          onClick={() => {
            onDone();
            toggleFull();
          }}
        >
          <Icon name={isFull ? "shrink" : "enlarge"} size={20} />
          {isFull ? t.tile.endFullScreen : t.tile.fullScreen}
        </button>
      ) : null}
    </>
  );
}
