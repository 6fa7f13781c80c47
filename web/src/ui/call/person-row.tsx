import type { Hosting } from "moim-client";
import { useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { clip } from "../parts/clip.ts";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { PersonName } from "../parts/person-name.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import type { Act } from "./act.ts";
import { Question } from "./confirmed.tsx";
import styles from "./people.module.css";
import type { PersonView } from "./people-view.ts";
import { PersonMenu } from "./person-menu.tsx";

/** Characters of a name in a question. */
const MAX_NAME = 24;

interface Props {
  row: PersonView;
  spotlight: readonly string[];
  hosting: Hosting;
  act: Act;
}

/** A participant: name, role, hand and devices; for hosts with what they may do. */
export function PersonRow({ row, spotlight, hosting, act }: Props) {
  const { t } = useI18n();
  const [isAsking, setAsking] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const confirm = useRef<HTMLButtonElement>(null);
  /** The menu, which gives the focus back when it closes, has led to the question. */
  const leadsToQuestion = useRef(false);
  const { person, isSelf, hand, mayMute, mayRemove } = row;
  const { name, alike, media, role } = person;
  const lowerHand = t.people.lowerHand(clip(distinctName(person), MAX_NAME));
  return (
    <li className={styles.person} data-testid="person" data-name={name}>
      <div className={styles.row}>
        <span className={styles.avatar}>
          <Avatar name={name} />
        </span>
        <span className={styles.who}>
          <span className={styles.name}>
            <PersonName name={name} text={isSelf ? t.call.youNamed(name) : name} />
            <SameNameMark alike={alike} />
          </span>
          {role && role !== "speaker" ? (
            <span className={styles.role}>{t.people.role[role]}</span>
          ) : null}
        </span>
        {hand === null ? null : (
          <span className={styles.hand}>
            <Icon name="hand" size={16} />
            <span aria-hidden="true" data-testid="person-hand">
              {hand}
            </span>
            <VisuallyHidden>{t.people.hand(hand)}</VisuallyHidden>
            {mayMute ? (
              <button
                type="button"
                className={styles.lower}
                aria-label={lowerHand}
                title={lowerHand}
                data-testid="lower-hand"
                onClick={() => {
                  act(hosting.lowerHands([person.id]));
                  // The button goes with the hand.
                  trigger.current?.focus();
                }}
              >
                <Icon name="close" size={16} />
              </button>
            ) : null}
          </span>
        )}
        <Device isOn={media.mic} icon="mic" off="micOff" offText={t.call.micMuted} />
        <Device isOn={media.camera} icon="camera" off="cameraOff" offText={t.call.cameraMuted} />
        {mayMute ? (
          <PersonMenu
            row={row}
            spotlight={spotlight}
            hosting={hosting}
            act={act}
            trigger={trigger}
            onRemove={() => {
              leadsToQuestion.current = true;
              setAsking(true);
            }}
            onFocus={() => {
              if (leadsToQuestion.current) confirm.current?.focus();
              leadsToQuestion.current = false;
            }}
          />
        ) : null}
      </div>
      {mayRemove && isAsking ? (
        <div className={styles.question}>
          <Question
            label={t.people.remove}
            why={t.people.removeWhy(clip(distinctName(person), MAX_NAME))}
            title={name}
            testId="remove"
            button={confirm}
            onConfirm={() => act(hosting.remove(person.id))}
            onCancel={() => {
              setAsking(false);
              trigger.current?.focus();
            }}
          />
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
