import { type FormEvent, useState } from "react";
import type { CreateRoom as Wanted } from "../../client/index.ts";
import { useClient } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Notice } from "../parts/notice.tsx";
import { MAX_NAME } from "../preferences.ts";
import { rememberPassword } from "../room/passwords.ts";
import { type Refusal, refusalOf, refusalText } from "../room/refusal.ts";
import { isAddressable, navigate, roomPath } from "../router.ts";
import styles from "./create-room.module.css";
import { suggestRoom } from "./room-words.ts";

/** A room of one's own; without a name it gets a friendly one. */
export function CreateRoom() {
  const { t, language } = useSpeech();
  const { lobby } = useClient();
  // One suggestion for each language, so that it stays while the person thinks.
  const [suggested] = useState(() => ({ en: suggestRoom("en"), ko: suggestRoom("ko") }));
  const [name, setName] = useState("");
  const [capacity, setCapacity] = useState("");
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState<(Refusal & { room: string }) | null>(null);

  async function create(event: FormEvent) {
    event.preventDefault();
    if (isBusy) return;
    const room = name.trim() || suggested[language];
    if (!isAddressable(room)) {
      setRefused({ code: "invalid", kind: "other", room });
      return;
    }
    setRefused(null);
    setBusy(true);
    try {
      const made = await lobby.create(wanted(room, capacity, password));
      if (password) rememberPassword(made.name, password);
      navigate(roomPath(made.name));
    } catch (error) {
      setRefused({ ...refusalOf(error), room });
      setBusy(false);
    }
  }

  return (
    <form className={styles.form} onSubmit={create}>
      <h2 className={styles.title}>{t.create.title}</h2>
      <div className={styles.row}>
        <TextField
          label={t.create.roomName}
          placeholder={suggested[language]}
          value={name}
          maxLength={MAX_NAME}
          autoComplete="off"
          enterKeyHint="go"
          data-testid="new-room-name"
          onChange={(event) => setName(event.target.value)}
        />
        <Button look="primary" type="submit" busy={isBusy} data-testid="create-room">
          {isBusy ? t.create.submitting : t.create.submit}
        </Button>
      </div>
      {refused ? (
        <Notice
          tone="warning"
          title={refusalText(refused.code, refused.room, t, refused.nameError)}
          testId="error"
        >
          {refused.code === "room_exists" ? (
            <Link to={roomPath(refused.room)} className={styles.go}>
              {t.create.goThere}
            </Link>
          ) : null}
        </Notice>
      ) : null}
      <details className={styles.options}>
        <summary data-testid="create-options">
          {t.create.options}
          <Icon name="down" size={16} />
        </summary>
        <div className={styles.inner}>
          <TextField
            label={t.create.capacity}
            hint={t.create.capacityHint}
            type="number"
            inputMode="numeric"
            min={1}
            step={1}
            value={capacity}
            data-testid="new-room-capacity"
            onChange={(event) => setCapacity(event.target.value)}
          />
          <TextField
            label={t.create.password}
            hint={t.create.passwordHint}
            type="password"
            autoComplete="new-password"
            value={password}
            data-testid="new-room-password"
            onChange={(event) => setPassword(event.target.value)}
          />
        </div>
      </details>
    </form>
  );
}

function wanted(name: string, capacity: string, password: string): Wanted {
  const places = Number.parseInt(capacity, 10);
  return {
    name,
    ...(places > 0 ? { capacity: places } : {}),
    ...(password ? { password } : {}),
  };
}
