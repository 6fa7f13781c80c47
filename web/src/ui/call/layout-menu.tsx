import { useId, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { keyOpens } from "../parts/key-opens.ts";
import { usePreference } from "../use-preference.ts";
import { HeadTool } from "./head-tool.tsx";
import styles from "./menu.module.css";
import { FullScreenAction, Menu, MenuCheckbox } from "./menu.tsx";
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
  const [isOpen, setOpen] = useState(false);
  return (
    <Menu
      label={t.layout.title}
      isOpen={isOpen}
      onOpen={setOpen}
      button={(trigger) => (
        <HeadTool
          {...trigger}
          icon="layout"
          label={t.layout.title}
          data-testid="open-layout"
          onKeyDown={keyOpens(() => setOpen(true))}
        />
      )}
    >
      <Choices view={view} onView={onView} onDone={() => setOpen(false)} />
    </Menu>
  );
}

function Choices({ view, onView, onDone }: Props & { onDone: () => void }) {
  const { t } = useI18n();
  const id = useId();
  const [self = "shown", setSelf] = usePreference("self");
  const [cameraless, setCameraless] = usePreference("cameraless");
  return (
    <div className={styles.columns}>
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
      <MenuCheckbox
        label={t.layout.hideCameraless}
        isChosen={cameraless === "hidden"}
        testId="hide-cameraless"
        onChange={(isChosen) => setCameraless(isChosen ? "hidden" : "shown")}
      />
      <FullScreenAction testId="full-screen" onDone={onDone} />
    </div>
  );
}
