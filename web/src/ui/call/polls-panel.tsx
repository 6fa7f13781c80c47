import { type Call, type CallState, mayPoll } from "moim-client";
import { useState } from "react";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { usePollTexts } from "../parts/part-texts.ts";
import { useAct } from "./act.ts";
import { PollCard } from "./poll-card.tsx";
import { PollForm } from "./poll-form.tsx";
import styles from "./polls.module.css";

interface Props {
  call: Pick<Call, "polling">;
  state: CallState;
  onClose: () => void;
  takesFocus: boolean;
}

/** Polls of the room, the newest first, and for those who may the form of another. */
export function PollsPanel({ call, state, onClose, takesFocus }: Props) {
  const pollTexts = usePollTexts();
  const { act, failure } = useAct();
  const [isAsking, setAsking] = useState(false);
  const { polls } = state;
  const mayManage = mayPoll(state);
  return (
    <Panel title={pollTexts.title} testId="polls-panel" onClose={onClose} takesFocus={takesFocus}>
      <div className={styles.polls}>
        {failure ? <Alert tone="warning" title={failure} testId="polls-error" /> : null}
        {mayManage && isAsking ? (
          <PollForm
            onAsk={(poll) => act(call.polling.ask(poll).then(() => setAsking(false)))}
            onCancel={() => setAsking(false)}
          />
        ) : null}
        {mayManage && !isAsking ? (
          <Button data-testid="poll-new" onClick={() => setAsking(true)}>
            {pollTexts.ask}
          </Button>
        ) : null}
        {polls.length === 0 && !isAsking ? (
          <p className={styles.none}>{mayManage ? pollTexts.noneForHosts : pollTexts.none}</p>
        ) : null}
        <ul className={styles.list}>
          {[...polls].reverse().map((poll) => (
            <PollCard
              key={poll.id}
              poll={poll}
              polling={call.polling}
              mayManage={mayManage}
              act={act}
            />
          ))}
        </ul>
      </div>
    </Panel>
  );
}
