import { useI18n } from "../i18n/context.tsx";
import { RoundButton } from "../parts/round-button.tsx";
import { opens, type PanelName } from "./use-panel.ts";

/** The open panel, and the function that opens or closes one. */
export interface PanelSwitch {
  panel: PanelName | null;
  toggle: (panel: PanelName) => void;
}

export function ChatButton({ panel, toggle, unread }: PanelSwitch & { unread: number }) {
  const { t } = useI18n();
  const { chat } = t.controls;
  return (
    <RoundButton
      icon="chat"
      label={unread > 0 ? `${chat}, ${t.controls.unread(unread)}` : chat}
      tooltip={chat}
      isOffByDefault
      count={unread}
      aria-expanded={panel === "chat"}
      data-testid="chat-open"
      {...opens("chat")}
      onClick={() => toggle("chat")}
    />
  );
}

interface PeopleProps extends PanelSwitch {
  people: number;
  /** Number of those who wait to be let in. */
  waiting: number;
}

export function PeopleButton({ panel, toggle, people, waiting }: PeopleProps) {
  const { t } = useI18n();
  const title = t.controls.people;
  const count = waiting > 0 ? t.people.waitingCount(waiting) : t.people.open(people);
  return (
    <RoundButton
      icon="people"
      label={`${title}, ${count}`}
      tooltip={title}
      isOffByDefault
      count={waiting > 0 ? waiting : people}
      isCountCalm={waiting === 0}
      aria-expanded={panel === "people"}
      data-testid="open-people"
      {...opens("people")}
      onClick={() => toggle("people")}
    />
  );
}
