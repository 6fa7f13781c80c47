import type { ComponentType } from "react";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { Access } from "./access.tsx";
import { Calls } from "./calls.tsx";
import { Log } from "./log.tsx";
import { Rooms } from "./rooms.tsx";
import { ServerSection } from "./server-section.tsx";
import styles from "./shell.module.css";
import { useTexts } from "./texts/index.ts";

interface SectionProps {
  /** The administrator who is signed in. */
  name: string;
}

const SECTIONS = ["rooms", "calls", "server", "access", "log"] as const;
type Section = (typeof SECTIONS)[number];

const VIEWS: Record<Section, ComponentType<SectionProps>> = {
  rooms: Rooms,
  calls: Calls,
  server: ServerSection,
  access: Access,
  log: Log,
};

interface Props {
  name: string;
  section: string | undefined;
  onSignOut: () => void;
}

/** The sections, for whoever is signed in. */
export function Shell({ name, section, onSignOut }: Props) {
  const { t } = useTexts();
  const current = SECTIONS.find((known) => known === section) ?? "rooms";
  const View = VIEWS[current];
  return (
    <Page>
      <div className={styles.shell} data-testid="admin" data-phase="signedIn">
        <div className={styles.head}>
          <ViewTitle
            document={`${t.sections[current]} · ${t.title} · moim`}
            className={styles.title}
          >
            {t.title}
          </ViewTitle>
          <p className={styles.who}>
            <span className={styles.name}>{t.signedInAs(name)}</span>
            <button
              type="button"
              className={styles.signOut}
              data-testid="admin-sign-out"
              onClick={onSignOut}
            >
              {t.signOut}
            </button>
          </p>
        </div>
        <nav className={styles.sections} aria-label={t.sectionsLabel}>
          {SECTIONS.map((known) => (
            <Link
              key={known}
              to={known === "rooms" ? "/admin" : `/admin/${known}`}
              className={styles.section}
              aria-current={known === current ? "page" : undefined}
              data-testid={`admin-section-${known}`}
            >
              {t.sections[known]}
            </Link>
          ))}
        </nav>
        <View key={current} name={name} />
      </div>
    </Page>
  );
}
