import { useState } from "react";
import { useSpeech } from "../i18n/context.tsx";
import { TextField } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { MAX_NAME, preferences } from "../preferences.ts";
import { CreateRoom } from "./create-room.tsx";
import styles from "./home.module.css";
import { RoomList } from "./room-list.tsx";

/** `/`: who one is, which rooms are open, a room of one's own. */
export function Home({ givenName }: { givenName: string | undefined }) {
  const { t } = useSpeech();
  const [name, setName] = useState(() => {
    if (givenName) preferences.write("name", givenName);
    return givenName ?? preferences.read("name") ?? "";
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
          <TextField
            label={t.yourName}
            placeholder={t.namePlaceholder}
            value={name}
            maxLength={MAX_NAME}
            autoComplete="nickname"
            data-testid="name-input"
            onChange={(event) => {
              setName(event.target.value);
              preferences.write("name", event.target.value.trim());
            }}
          />
          <hr className={styles.divider} />
          <CreateRoom />
        </section>
        <RoomList />
      </div>
    </Page>
  );
}
