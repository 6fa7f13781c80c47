import type { Entry, Hosting, Policy } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Select } from "../parts/field.tsx";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import type { Act } from "./act.ts";
import { Confirmed } from "./confirmed.tsx";
import styles from "./people.module.css";

interface Props {
  policy: Policy;
  mayEnd: boolean;
  hosting: Hosting;
  act: Act;
}

const ENTRIES: readonly Entry[] = ["open", "waiting", "locked"];

/** Rules of the room, and what concerns everybody at once. */
export function RoomRules({ policy, mayEnd, hosting, act }: Props) {
  const { t } = useI18n();
  const change = (part: Partial<Policy>) => act(hosting.changeSettings({ policy: part }));
  return (
    <section className={styles.section} data-testid="room-rules">
      <h3 className={styles.heading}>{t.people.rules}</h3>
      <Select
        label={t.people.entry}
        icon="lock"
        value={policy.entry}
        data-testid="entry"
        onSelect={(entry) => change({ entry: entry as Entry })}
      >
        {ENTRIES.map((entry) => (
          <option key={entry} value={entry}>
            {t.people.entryOf[entry]}
          </option>
        ))}
      </Select>
      <div className={styles.rules}>
        <ToggleChoice
          checked={policy.newcomers === "viewer"}
          testId="newcomers-view"
          onChange={(on) => change({ newcomers: on ? "viewer" : "speaker" })}
        >
          {t.people.newcomersView}
        </ToggleChoice>
        <ToggleChoice
          checked={policy.chat === "hosts"}
          testId="chat-by-hosts"
          onChange={(on) => change({ chat: on ? "hosts" : "everybody" })}
        >
          {t.people.chatByHosts}
        </ToggleChoice>
        <ToggleChoice
          checked={policy.private === "hosts"}
          testId="private-by-hosts"
          onChange={(on) => change({ private: on ? "hosts" : "everybody" })}
        >
          {t.people.privateByHosts}
        </ToggleChoice>
        <ToggleChoice
          checked={policy.files === "hosts"}
          testId="files-by-hosts"
          onChange={(on) => change({ files: on ? "hosts" : "everybody" })}
        >
          {t.people.filesByHosts}
        </ToggleChoice>
        <ToggleChoice
          checked={policy.screen === "hosts"}
          testId="screen-by-hosts"
          onChange={(on) => change({ screen: on ? "hosts" : "everybody" })}
        >
          {t.people.screenByHosts}
        </ToggleChoice>
      </div>
      <Button data-testid="mute-all" onClick={() => act(hosting.mute(null, ["microphone"]))}>
        {t.people.muteAll}
      </Button>
      {mayEnd ? (
        <Confirmed
          label={t.people.end}
          why={t.people.endWhy}
          testId="end-for-all"
          onConfirm={() => act(hosting.end())}
        />
      ) : null}
    </section>
  );
}
