import { type FormEvent, useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { Select, TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { SignInLink } from "../parts/sign-in.tsx";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import { MAX_NAME_LENGTH } from "../preferences.ts";
import { rememberPassword } from "../room/passwords.ts";
import { type Rejection, rejectionOf, rejectionText } from "../room/rejection.ts";
import { isAddressable, navigate, roomPath } from "../router.ts";
import { createRequest } from "./create-request.ts";
import styles from "./create-room.module.css";
import { suggestRoomName } from "./room-names.ts";

/** Form that creates a room; an empty name is replaced by the suggested one. */
export function CreateRoom() {
  const { t, language } = useI18n();
  const { lobby, server } = useClient();
  const { templates } = useReadable(lobby);
  const isOffline = useReadable(server) === "offline";
  // One suggestion per language, kept while the form is open.
  const [suggested] = useState(() => ({ en: suggestRoomName("en"), ko: suggestRoomName("ko") }));
  const [name, setName] = useState("");
  const [capacity, setCapacity] = useState("");
  const [password, setPassword] = useState("");
  const [template, setTemplate] = useState("");
  const [hasWaitingRoom, setWaitingRoom] = useState(false);
  /** The choice, once it was made; a name that was typed is to be found, a random one is not. */
  const [chosenListed, setListed] = useState<boolean | null>(null);
  const isListed = chosenListed ?? name.trim() !== "";
  // A template may have its own word about a room with a name, but a random one stays unlisted.
  const listed = template && name.trim() ? (chosenListed ?? undefined) : isListed;
  const options = { capacity, password, template, hasWaitingRoom };
  const [isBusy, setBusy] = useState(false);
  const [rejection, setRejection] = useState<(Rejection & { room: string }) | null>(null);

  async function create(event: FormEvent) {
    event.preventDefault();
    if (isBusy) return;
    const room = name.trim() || suggested[language];
    if (!isAddressable(room)) {
      setRejection({ code: "invalid", kind: "other", room });
      return;
    }
    setRejection(null);
    setBusy(true);
    try {
      const created = await lobby.create(createRequest(room, listed, options));
      if (password) rememberPassword(created.name, password);
      navigate(roomPath(created.name));
    } catch (error) {
      setRejection({ ...rejectionOf(error), room });
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
          maxLength={MAX_NAME_LENGTH}
          autoComplete="off"
          enterKeyHint="go"
          data-testid="new-room-name"
          onChange={(event) => setName(event.target.value)}
        />
        <Button
          variant="primary"
          type="submit"
          busy={isBusy}
          disabled={isOffline}
          data-testid="create-room"
        >
          {isBusy && !isOffline ? t.create.submitting : t.create.submit}
        </Button>
      </div>
      {rejection ? (
        <Alert
          tone="warning"
          title={
            rejection.code === "invalid" && !rejection.nameError && hasWaitingRoom && !template
              ? t.reach.options.noWaiting
              : rejectionText(rejection.code, rejection.room, t, rejection.nameError)
          }
          testId="error"
        >
          {rejection.code === "room_exists" ? (
            <Link to={roomPath(rejection.room)} className={styles.go}>
              {t.create.goThere}
            </Link>
          ) : null}
          {rejection.code === "sign_in_required" ? <SignInLink /> : null}
        </Alert>
      ) : null}
      <details className={styles.options}>
        <summary data-testid="create-options">
          {t.create.options}
          <Icon name="down" size={16} />
        </summary>
        <div className={styles.inner}>
          <ToggleChoice
            checked={isListed}
            hint={isListed ? t.create.listedHint : t.create.unlistedHint}
            testId="new-room-listed"
            onChange={setListed}
          >
            {t.create.listed}
          </ToggleChoice>
          {templates.length > 0 ? (
            <div className={styles.template}>
              <Select
                label={t.reach.options.template}
                icon="grid"
                value={template}
                data-testid="new-room-template"
                onSelect={setTemplate}
              >
                <option value="">{t.reach.options.noTemplate}</option>
                {templates.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </Select>
            </div>
          ) : null}
          {template ? null : (
            <ToggleChoice
              checked={hasWaitingRoom}
              hint={t.reach.options.waitingHint}
              testId="new-room-waiting"
              onChange={setWaitingRoom}
            >
              {t.reach.options.waiting}
            </ToggleChoice>
          )}
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
