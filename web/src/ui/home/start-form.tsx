import { useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { Select, TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { SignInLink } from "../parts/sign-in.tsx";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import { rememberPassword } from "../room/passwords.ts";
import { type Rejection, rejectionOf, rejectionText } from "../room/rejection.ts";
import { isAddressable, navigate, roomPath } from "../router.ts";
import { createRequest } from "./create-request.ts";
import { type Destination, isLink, parseDestination } from "./destination.ts";
import { suggestRoomName } from "./room-names.ts";
import styles from "./start-form.module.css";

/** Whoever may not create rooms may join the one that was named. */
const MAY_NOT: ReadonlySet<string> = new Set(["api_only", "sign_in_required"]);

/** As long a link as can be pasted. A room's name is shorter, which the server tells. */
const MAX_LENGTH = 2_000;

/**
 * The one field that starts or joins a call: a pasted link leads to its room, a name creates a room, and
 * none creates one under a suggested name.
 */
export function StartForm() {
  const { t, language } = useI18n();
  const { lobby, server } = useClient();
  const { templates, rooms } = useReadable(lobby);
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
  const hasOptions =
    chosenListed !== null || hasWaitingRoom || `${capacity}${password}${template}` !== "";
  const [isBusy, setBusy] = useState(false);
  const [rejection, setRejection] = useState<(Rejection & { room: string }) | null>(null);
  const [problem, setProblem] = useState<Exclude<Destination, { kind: "room" }> | null>(null);
  const joins = isLink(name, location.origin);

  function join() {
    const destination = parseDestination(name, location.origin);
    if (destination.kind === "room") navigate(destination.path);
    else setProblem(destination);
  }

  async function create() {
    if (isBusy) return;
    const room = name.trim() || suggested[language];
    if (!isAddressable(room)) {
      setRejection({ code: "invalid", kind: "other", room });
      return;
    }
    const isOpen = rooms.some(({ name, dialect }) => name === room && !dialect);
    if (isOpen && !hasOptions) return navigate(roomPath(room));
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
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        setRejection(null);
        if (joins) join();
        else void create();
      }}
    >
      <div className={styles.row}>
        <TextField
          label={t.reach.join.label}
          placeholder={suggested[language]}
          value={name}
          maxLength={MAX_LENGTH}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="go"
          error={problem?.kind === "none" ? t.reach.join.nowhere : null}
          data-testid="new-room-name"
          onChange={(event) => {
            setName(event.target.value);
            setProblem(null);
          }}
        />
        <Button
          variant="primary"
          type="submit"
          busy={isBusy}
          disabled={isOffline && !joins}
          data-testid="create-room"
        >
          <Icon name="camera" size={20} />
          {joins
            ? t.reach.join.submit
            : isBusy && !isOffline
              ? t.create.submitting
              : t.create.submit}
        </Button>
      </div>
      {problem?.kind === "elsewhere" ? (
        <Alert tone="info" title={t.reach.join.elsewhere(problem.host)} testId="join-elsewhere">
          <a className={styles.go} href={problem.url} rel="noreferrer">
            {t.reach.join.goElsewhere(problem.host)}
          </a>
        </Alert>
      ) : null}
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
          {rejection.code === "room_exists" || (MAY_NOT.has(rejection.code) && name.trim()) ? (
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
