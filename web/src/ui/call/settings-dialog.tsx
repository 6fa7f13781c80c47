import { type ReactNode, useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { DataSettings } from "../devices/data-settings.tsx";
import { DeviceAlerts } from "../devices/device-alerts.tsx";
import { DeviceChoice } from "../devices/device-choice.tsx";
import { PictureSettings } from "../devices/picture-settings.tsx";
import { SoundSettings } from "../devices/sound-settings.tsx";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { LanguageChoice } from "../parts/language-choice.tsx";
import { useMediaQuery } from "../use-media-query.ts";
import { AccessSettings } from "./access-settings.tsx";
import { ModalCard } from "./modal-card.tsx";
import { NoticeSettings } from "./notice-settings.tsx";
import styles from "./settings.module.css";
import { ShortcutList } from "./shortcut-list.tsx";

const TABS = ["media", "notices", "access", "language", "shortcuts"] as const;

export type SettingsTab = (typeof TABS)[number];

const ICONS: Readonly<Record<SettingsTab, IconName>> = {
  media: "camera",
  notices: "bell",
  access: "theme",
  language: "globe",
  shortcuts: "keyboard",
};

/** Something that points has a keyboard beside it; of a touch screen that is not known. */
const HAS_KEYBOARD = "(any-pointer: fine)";

/** Tabs stand beside what they show; on a phone they are a row above it. */
const WIDE = "(min-width: 700px)";

interface Props {
  /** The tab that is shown. */
  tab: SettingsTab;
  onTab: (tab: SettingsTab) => void;
  onClose: () => void;
}

/** The settings during a call. */
export function SettingsDialog({ tab, onTab, onClose }: Props) {
  const { t } = useI18n();
  const isWide = useMediaQuery(WIDE);
  const hasKeyboard = useMediaQuery(HAS_KEYBOARD);
  // The list of shortcuts has a shortcut of its own.
  const tabs = TABS.filter((each) => each !== "shortcuts" || hasKeyboard || each === tab);
  const list = useRef<HTMLDivElement>(null);
  // On a phone the row is wider than the window.
  useEffect(() => {
    const selected = list.current?.querySelector(`[data-key="${tab}"]`);
    if (!isWide) selected?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab, isWide]);
  const shown: Readonly<Record<SettingsTab, ReactNode>> = {
    media: <MediaSettings />,
    notices: <NoticeSettings />,
    access: <AccessSettings />,
    language: <LanguageChoice />,
    shortcuts: <ShortcutList />,
  };
  return (
    <ModalCard title={t.settings.title} shape="card" testId="settings" onClose={onClose}>
      <Tabs
        className={cx(styles.tabs)}
        orientation={isWide ? "vertical" : "horizontal"}
        selectedKey={tab}
        onSelectionChange={(key) => onTab(key as SettingsTab)}
      >
        <TabList ref={list} aria-label={t.settings.title} className={cx(styles.list)}>
          {tabs.map((each) => (
            <Tab
              key={each}
              id={each}
              className={cx(styles.tab)}
              data-key={each}
              data-testid={`settings-${each}`}
            >
              <Icon name={ICONS[each]} size={20} />
              {t.settings.tabs[each]}
            </Tab>
          ))}
        </TabList>
        {tabs.map((each) => (
          <TabPanel key={each} id={each} className={cx(styles.panel)}>
            {shown[each]}
          </TabPanel>
        ))}
      </Tabs>
    </ModalCard>
  );
}

function MediaSettings() {
  return (
    <>
      <DeviceAlerts isJoined />
      <DeviceChoice labelled />
      <SoundSettings isJoined />
      <PictureSettings />
      <DataSettings />
    </>
  );
}
