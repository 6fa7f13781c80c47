import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { mayStartDevices } from "../initiator.ts";
import { ownName } from "../own-name.ts";
import { TextField } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { MAX_NAME_LENGTH } from "../preferences.ts";
import { CreateRoom } from "./create-room.tsx";
import styles from "./home.module.css";
import { JoinForm } from "./join-form.tsx";
import { OwnRooms } from "./own-rooms.tsx";
import { PersonRow } from "./person.tsx";
import { RoomList } from "./room-list.tsx";

/** The view at `/`: the user's name, forms that create and join a room, own and open rooms. */
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
          <TextField
            label={t.yourName}
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
          <hr className={styles.divider} />
          <CreateRoom />
          <hr className={styles.divider} />
          <JoinForm />
        </section>
        <div className={styles.rooms}>
          <OwnRooms />
          <RoomList />
        </div>
      </div>
    </Page>
  );
}
