import type { LocalDevice, RoomSummary } from "moim-client";
import { type FormEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { DeviceAlerts } from "../devices/device-alerts.tsx";
import { LobbyDevices } from "../devices/lobby-devices.tsx";
import { useAskedKinds } from "../devices/use-permissions.ts";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { InviteDialog } from "../invite/invite-dialog.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Page } from "../parts/page.tsx";
import { PlaybackProvider } from "../parts/playback-provider.tsx";
import { SignInLink } from "../parts/sign-in.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { canCall } from "../platform.ts";
import { MAX_NAME_LENGTH, preferences } from "../preferences.ts";
import { knownPassword } from "./passwords.ts";
import styles from "./preview.module.css";
import { questionOf } from "./question.ts";
import { type Rejection, rejectionText } from "./rejection.ts";
import { SelfPreview } from "./self-preview.tsx";
import { useEntry } from "./use-entry.ts";

interface Props {
  room: string;
  name: string;
  /** A token or an invitation stands in for the password. */
  hasPass: boolean;
  /** Rejection of the last attempt to join. */
  rejection: Rejection | null;
  isJoining: boolean;
  /** Starts the devices; null unless they wait for a click. */
  onStart: (() => void) | null;
  /** The devices that start by themselves right after this view appears. */
  starts: Readonly<Record<"microphone" | "camera", boolean>>;
  onJoin: (name: string, password: string) => void;
}

/** The view before a call: one's own camera and microphone, the room's state, and the form. */
export function Preview({
  room,
  name: givenName,
  hasPass,
  rejection,
  isJoining,
  onStart,
  starts,
  onJoin,
}: Props) {
  const { t } = useI18n();
  const { loaded, summary, isLocked, isSettled } = useEntry(room);
  const [name, setName] = useState(givenName);
  const [isNameMissing, setNameMissing] = useState(false);
  const [password, setPassword] = useState(() => knownPassword(room));
  const needsPassword = rejection?.kind === "password" || (isLocked && !hasPass);
  const isFull = summary
    ? summary.participants >= summary.capacity
    : rejection?.kind === "full" && !loaded;
  const [waitsForPlace, setWaitsForPlace] = useState(false);
  const { media } = useClient();
  const { microphone, camera } = useReadable(media);
  const [isNew, setNew] = useState(true);
  useEffect(() => setNew(false), []);
  const isSent = (kind: "microphone" | "camera", device: LocalDevice) =>
    mayOpen(device) || (isNew && starts[kind]);
  const sendsNothing = !isSent("microphone", microphone) && !isSent("camera", camera);
  const question = questionOf(useAskedKinds(), microphone, camera, t);
  const [isInviting, setInviting] = useState(false);
  const latestJoin = useRef(() => {});
  latestJoin.current = () => onJoin(name.trim(), password);
  // The list of rooms is live: a place that becomes free is taken at once.
  useEffect(() => {
    if (!waitsForPlace || isFull) return;
    setWaitsForPlace(false);
    latestJoin.current();
  }, [waitsForPlace, isFull]);

  function join(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isJoining) return;
    setNameMissing(!name.trim());
    if (!name.trim()) event.currentTarget.querySelector("input")?.focus();
    else if (isFull) setWaitsForPlace(true);
    else onJoin(name.trim(), password);
  }

  function joinWithout({ currentTarget: { form } }: MouseEvent<HTMLButtonElement>) {
    preferences.write("microphone", "off");
    preferences.write("camera", "off");
    void media.setMicrophone(false);
    void media.setCamera(false);
    form?.requestSubmit();
  }

  return (
    <Page>
      {/* Fields and buttons appear together: none moves because another one comes. */}
      <div className={styles.preview} data-settled={isSettled || isJoining || rejection !== null}>
        <div className={styles.selfPreview}>
          <PlaybackProvider>
            <SelfPreview
              onStart={onStart}
              question={question}
              startsCamera={isNew && starts.camera}
            />
          </PlaybackProvider>
        </div>
        <div className={styles.side}>
          <div>
            <ViewTitle document={t.preview.documentTitle(room)} className={styles.title}>
              {isFull ? t.errors.room_full(room) : t.preview.title(room)}
            </ViewTitle>
            <RoomStatus loaded={loaded} summary={summary} isLocked={isLocked} />
            <div className={styles.invite}>
              <Button variant="plain" data-testid="invite-people" onClick={() => setInviting(true)}>
                <Icon name="link" size={18} />
                {t.reach.invite.people}
              </Button>
            </div>
          </div>
          <form className={styles.form} onSubmit={join}>
            <TextField
              label={t.yourName}
              placeholder={t.namePlaceholder}
              value={name}
              maxLength={MAX_NAME_LENGTH}
              autoComplete="nickname"
              enterKeyHint="go"
              error={isNameMissing && !name.trim() ? t.nameRequired : null}
              data-testid="name-input"
              onChange={(event) => setName(event.target.value)}
            />
            {needsPassword ? (
              <PasswordField
                value={password}
                takesFocus={rejection?.kind === "password"}
                onChange={setPassword}
              />
            ) : null}
            {isFull ? (
              <FullRoom isWaiting={waitsForPlace} />
            ) : rejection && rejection.kind !== "full" && !isJoining ? (
              <Alert
                tone="warning"
                title={rejectionText(rejection.code, room, t, rejection.nameError)}
                testId="error"
              >
                {rejection.code === "sign_in_required" ? <SignInLink /> : null}
              </Alert>
            ) : null}
            <div className={styles.join}>
              <Button
                variant="primary"
                type="submit"
                busy={isJoining || waitsForPlace}
                data-testid="join"
              >
                {isJoining
                  ? t.preview.joining
                  : isFull
                    ? t.preview.waitForPlace
                    : canCall && sendsNothing
                      ? t.preview.joinWithout
                      : t.preview.join}
              </Button>
              {canCall && !sendsNothing && !isFull && !isJoining ? (
                <Button data-testid="join-without" onClick={joinWithout}>
                  {t.preview.joinWithout}
                </Button>
              ) : null}
            </div>
          </form>
          <div className={styles.alerts}>
            {canCall ? <DeviceAlerts /> : <Alert tone="warning" title={t.problem.unsupported} />}
          </div>
        </div>
        <div className={styles.devices}>
          <LobbyDevices />
        </div>
      </div>
      {isInviting ? <InviteDialog room={room} onClose={() => setInviting(false)} /> : null}
    </Page>
  );
}

/** One that is being opened counts already, so that no button appears and moves what is below. */
function mayOpen({ on, opening, problem }: LocalDevice): boolean {
  return on || (opening && problem === null);
}

interface StatusProps {
  loaded: boolean;
  summary: RoomSummary | undefined;
  isLocked: boolean;
}

function RoomStatus({ loaded, summary, isLocked }: StatusProps) {
  const { t } = useI18n();
  const isOffline = useReadable(useClient().server) === "offline";
  // It exists, though the list doesn't have it.
  const isHidden = !summary && isLocked;
  // The line has its place from the start, so that nothing below it moves.
  if (!loaded && !isOffline) return <p className={styles.status}>{"\u00a0"}</p>;
  return (
    <p className={styles.status} role="status">
      <Icon name={isOffline ? "alert" : isHidden ? "lock" : "people"} size={19} />
      {isOffline ? t.rooms.offline : isHidden ? t.rooms.locked : statusText(summary, t)}
    </p>
  );
}

function statusText(summary: RoomSummary | undefined, t: Messages): string {
  // A room that is not listed may be open all the same. One line on a phone: nothing below it moves.
  if (!summary) return t.preview.opensAtJoin;
  const { participants, capacity } = summary;
  if (participants === 0) return t.preview.empty;
  return t.preview.someoneHere(participants, capacity);
}

interface PasswordProps {
  value: string;
  /** Takes focus: the server has just rejected a join without the right password. */
  takesFocus: boolean;
  onChange: (password: string) => void;
}

function PasswordField({ value, takesFocus, onChange }: PasswordProps) {
  const { t } = useI18n();
  return (
    <TextField
      label={t.preview.password}
      type="password"
      autoComplete="off"
      enterKeyHint="go"
      autoFocus={takesFocus}
      value={value}
      data-testid="room-password"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** Choices at a full room: wait for a place, or create another one. */
function FullRoom({ isWaiting }: { isWaiting: boolean }) {
  const { t } = useI18n();
  return (
    <Alert
      tone="info"
      title={isWaiting ? t.preview.waitingForPlace : t.errors.roomFullHint}
      testId="room-full"
    >
      <Link to="/" className={styles.another}>
        {t.preview.anotherRoom}
      </Link>
    </Alert>
  );
}
