import { type FormEvent, useEffect, useState } from "react";
import type { RoomSummary } from "../../client/index.ts";
import { SoundGate } from "../call/sound-gate.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Notice } from "../parts/notice.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { canCall } from "../platform.ts";
import { MAX_NAME } from "../preferences.ts";
import { DeviceChoice } from "./device-choice.tsx";
import { Mirror } from "./mirror.tsx";
import { knownPassword } from "./passwords.ts";
import styles from "./preview.module.css";
import { type Refusal, refusalText } from "./refusal.ts";
import { Troubles } from "./troubles.tsx";

interface Props {
  room: string;
  name: string;
  /** Why the last try to join was refused. */
  refusal: Refusal | null;
  isJoining: boolean;
  /** Turns the devices on, where they wait for a click. */
  onStart: (() => void) | null;
  onJoin: (name: string, password: string) => void;
}

/** Before the call: how one looks and sounds, and who is there. */
export function Preview({ room, name: givenName, refusal, isJoining, onStart, onJoin }: Props) {
  const { t } = useSpeech();
  const { lobby } = useClient();
  const { loaded, rooms } = useReadable(lobby);
  useEffect(() => lobby.open(), [lobby]);
  const summary = rooms.find(({ name, dialect }) => name === room && !dialect);
  const [name, setName] = useState(givenName);
  const [isNameMissing, setNameMissing] = useState(false);
  const [password, setPassword] = useState(() => knownPassword(room));
  const takesPassword = refusal?.kind === "password" || summary?.locked === true;

  function join(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isJoining) return;
    setNameMissing(!name.trim());
    if (name.trim()) onJoin(name.trim(), password);
    else event.currentTarget.querySelector("input")?.focus();
  }

  return (
    <Page>
      <div className={styles.preview}>
        <div className={styles.mirror}>
          <SoundGate>
            <Mirror onStart={onStart} />
          </SoundGate>
        </div>
        <div className={styles.side}>
          <div>
            <ViewTitle document={t.preview.documentTitle(room)} className={styles.title}>
              {t.preview.title(room)}
            </ViewTitle>
            <WhoIsHere loaded={loaded} summary={summary} />
          </div>
          <form className={styles.form} onSubmit={join}>
            <TextField
              label={t.yourName}
              placeholder={t.namePlaceholder}
              value={name}
              maxLength={MAX_NAME}
              autoComplete="nickname"
              enterKeyHint="go"
              wrong={isNameMissing && !name.trim() ? t.nameRequired : null}
              data-testid="name-input"
              onChange={(event) => setName(event.target.value)}
            />
            {takesPassword ? (
              <PasswordField
                value={password}
                isAsked={refusal?.kind === "password"}
                onChange={setPassword}
              />
            ) : null}
            {refusal && !isJoining ? <Refused refusal={refusal} room={room} /> : null}
            <div className={styles.join}>
              <Button look="primary" type="submit" busy={isJoining} data-testid="join">
                {isJoining
                  ? t.preview.joining
                  : refusal?.kind === "full"
                    ? t.errors.tryAgain
                    : t.preview.join}
              </Button>
            </div>
          </form>
          {canCall ? <Troubles /> : <Notice tone="warning" title={t.problem.unsupported} />}
        </div>
        <div className={styles.devices}>
          <DeviceChoice />
        </div>
      </div>
    </Page>
  );
}

function WhoIsHere({ loaded, summary }: { loaded: boolean; summary: RoomSummary | undefined }) {
  const { t } = useSpeech();
  const isOffline = useReadable(useClient().server) === "offline";
  if (!loaded && !isOffline) return null;
  return (
    <p className={styles.here} role="status">
      <Icon name={isOffline ? "alert" : "people"} size={19} />
      {isOffline ? t.rooms.offline : whoIsHere(summary, t)}
    </p>
  );
}

function whoIsHere(summary: RoomSummary | undefined, t: Messages): string {
  if (!summary) return t.preview.isNew;
  const { name, participants, capacity } = summary;
  if (participants === 0) return t.preview.nobody;
  if (participants >= capacity) return t.errors.room_full(name);
  return t.preview.someoneHere(participants, capacity);
}

interface PasswordProps {
  value: string;
  /** The server has just asked for it: the focus goes there. */
  isAsked: boolean;
  onChange: (password: string) => void;
}

function PasswordField({ value, isAsked, onChange }: PasswordProps) {
  const { t } = useSpeech();
  return (
    <TextField
      label={t.preview.password}
      type="password"
      autoComplete="off"
      enterKeyHint="go"
      autoFocus={isAsked}
      value={value}
      data-testid="room-password"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Refused({ refusal, room }: { refusal: Refusal; room: string }) {
  const { t } = useSpeech();
  const isFull = refusal.kind === "full";
  return (
    <Notice
      tone="warning"
      title={refusalText(refusal.code, room, t, refusal.nameError)}
      testId={isFull ? "room-full" : "error"}
    >
      {isFull ? <p>{t.errors.roomFullHint}</p> : null}
    </Notice>
  );
}
