import type { Hosting, Role } from "moim-client";
import { useId, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import type { Act } from "./act.ts";
import { Confirmed } from "./confirmed.tsx";
import styles from "./people.module.css";
import type { PersonView } from "./people-view.ts";

interface Props {
  row: PersonView;
  spotlight: readonly string[];
  hosting: Hosting;
  act: Act;
}

/** A participant: name, role, hand and devices; for hosts with what they may do. */
export function PersonRow({ row, spotlight, hosting, act }: Props) {
  const { t } = useI18n();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { person, isSelf, hand, mayMute } = row;
  const { name, alike, media, role } = person;
  return (
    <li className={styles.person} data-testid="person" data-name={name}>
      <div className={styles.row}>
        <span className={styles.avatar}>
          <Avatar name={name} />
        </span>
        <span className={styles.who}>
          <span className={styles.name}>
            <bdi>{isSelf ? t.call.youNamed(name) : name}</bdi>
            <SameNameMark alike={alike} />
          </span>
          {role && role !== "speaker" ? (
            <span className={styles.role}>{t.people.role[role]}</span>
          ) : null}
        </span>
        {hand === null ? null : (
          <span className={styles.hand}>
            <Icon name="hand" size={16} />
            <span aria-hidden="true">{hand}</span>
            <VisuallyHidden>{t.people.hand(hand)}</VisuallyHidden>
          </span>
        )}
        <Device isOn={media.mic} icon="mic" off="micOff" offText={t.call.micMuted} />
        <Device isOn={media.camera} icon="camera" off="cameraOff" offText={t.call.cameraMuted} />
        {mayMute ? (
          <IconButton
            icon="more"
            label={t.people.actions(distinctName(person))}
            aria-expanded={isOpen}
            aria-controls={id}
            data-testid="person-actions"
            onClick={() => setOpen(!isOpen)}
          />
        ) : null}
      </div>
      {mayMute && isOpen ? (
        <div id={id} className={styles.actions}>
          <Actions row={row} spotlight={spotlight} hosting={hosting} act={act} />
        </div>
      ) : null}
    </li>
  );
}

function Device({
  isOn,
  icon,
  off,
  offText,
}: {
  isOn: boolean;
  icon: "mic" | "camera";
  off: "micOff" | "cameraOff";
  offText: string;
}) {
  return (
    <span className={isOn ? styles.device : `${styles.device} ${styles.off}`}>
      <Icon name={isOn ? icon : off} size={18} />
      {isOn ? null : <VisuallyHidden>{offText}</VisuallyHidden>}
    </span>
  );
}

function Actions({ row, spotlight, hosting, act }: Props) {
  const { t } = useI18n();
  const { person, isInSpotlight, mayRemove, roles } = row;
  const { id, media } = person;
  const only = [id];
  return (
    <>
      {media.mic ? (
        <Action testId="mute" onClick={() => act(hosting.mute(only, ["microphone"]))}>
          {t.people.mute}
        </Action>
      ) : (
        <Action testId="ask-to-unmute" onClick={() => act(hosting.askToUnmute(id, ["microphone"]))}>
          {t.people.askToUnmute}
        </Action>
      )}
      {media.camera ? (
        <Action testId="stop-camera" onClick={() => act(hosting.mute(only, ["camera"]))}>
          {t.people.stopCamera}
        </Action>
      ) : (
        <Action testId="ask-for-camera" onClick={() => act(hosting.askToUnmute(id, ["camera"]))}>
          {t.people.askForCamera}
        </Action>
      )}
      {media.screen ? (
        <Action testId="stop-screen" onClick={() => act(hosting.mute(only, ["screen"]))}>
          {t.people.stopScreen}
        </Action>
      ) : null}
      <Action
        testId="spotlight"
        onClick={() =>
          act(hosting.spotlight(isInSpotlight ? spotlight.filter((one) => one !== id) : only))
        }
      >
        {isInSpotlight ? t.people.endSpotlight : t.people.spotlight}
      </Action>
      {roles.length > 0 ? (
        <select
          className={styles.select}
          aria-label={t.people.roleOf(distinctName(person))}
          value={person.role}
          data-testid="role"
          onChange={(event) => act(hosting.setRole(id, event.target.value as Role))}
        >
          {roles.map((role) => (
            <option key={role} value={role}>
              {t.people.role[role]}
            </option>
          ))}
        </select>
      ) : null}
      {mayRemove ? (
        <Confirmed
          label={t.people.remove}
          why={t.people.removeWhy(distinctName(person))}
          testId="remove"
          onConfirm={() => act(hosting.remove(id))}
        />
      ) : null}
    </>
  );
}

function Action({
  testId,
  onClick,
  children,
}: {
  testId: string;
  onClick: () => void;
  children: string;
}) {
  return (
    <button type="button" className={styles.action} data-testid={testId} onClick={onClick}>
      {children}
    </button>
  );
}
