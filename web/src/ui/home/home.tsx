import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { mayStartDevices } from "../initiator.ts";
import { ownName } from "../own-name.ts";
import { TextField } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { MAX_NAME_LENGTH } from "../preferences.ts";
import styles from "./home.module.css";
import { OwnRooms } from "./own-rooms.tsx";
import { PersonRow } from "./person.tsx";
import { RoomList } from "./room-list.tsx";
import { StartForm } from "./start-form.tsx";

/** The view at `/`: one field that starts or joins a call, the user's name, own and open rooms. */
export function Home({ givenName }: { givenName: string | undefined }) {
  const { t } = useI18n();
  const [name, setName] = useState(() => {
    if (givenName) ownName.takeFromAddress(givenName, mayStartDevices());
    return ownName.read() ?? "";
  });
  return (
    <Page>
      <div className={styles.home}>
        <section className={styles.start}>
          <div>
            <ViewTitle document={`moim · ${t.tagline}`} className={styles.title}>
              {t.tagline}
            </ViewTitle>
            <p className={styles.lead}>{t.lead}</p>
          </div>
          <PersonRow />
          <StartForm />
          <TextField
            label={t.yourName}
            isQuiet
            placeholder={t.namePlaceholder}
            value={name}
            maxLength={MAX_NAME_LENGTH}
            autoComplete="nickname"
            data-testid="name-input"
            onChange={(event) => {
              setName(event.target.value);
              ownName.remember(event.target.value.trim());
            }}
          />
        </section>
        <div className={styles.rooms}>
          <OwnRooms />
          <RoomList />
        </div>
      </div>
    </Page>
  );
}
