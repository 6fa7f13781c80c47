import type { Call, CallState } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Panel } from "../parts/panel.tsx";
import { useAct } from "./act.ts";
import { Invitations } from "./invitations.tsx";
import styles from "./people.module.css";
import { lowerableHands, mayHost, peopleOf } from "./people-view.ts";
import { PersonRow } from "./person-row.tsx";
import { RoomRules } from "./room-rules.tsx";
import { WaitingPeople } from "./waiting-people.tsx";

interface Props {
  call: Call;
  state: CallState;
  onClose: () => void;
  takesFocus: boolean;
}

/** Everybody in the call, who waits, and what hosts may do about it. */
export function People({ call, state, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const { act, failure } = useAct();
  const isHosting = mayHost(state);
  const rows = peopleOf(state);
  const lowerAllHands = () => {
    act(call.hosting.lowerHands(null));
    if (state.self.media.hand) call.setHand(false);
  };
  return (
    <Panel title={t.people.title} testId="people-panel" onClose={onClose} takesFocus={takesFocus}>
      <div className={styles.people} data-testid="people">
        {failure ? <Alert tone="warning" title={failure} testId="people-error" /> : null}
        {isHosting && state.waiting.length > 0 ? (
          <WaitingPeople waiting={state.waiting} hosting={call.hosting} act={act} />
        ) : null}
        <section className={styles.section}>
          <div className={styles.row}>
            <h3 className={styles.heading}>{t.people.inCall}</h3>
            {isHosting && lowerableHands(rows) > 1 ? (
              <button
                type="button"
                className={styles.action}
                data-testid="lower-all-hands"
                onClick={lowerAllHands}
              >
                {t.people.lowerAllHands}
              </button>
            ) : null}
          </div>
          <ul className={styles.list}>
            {rows.map((row) => (
              <PersonRow
                key={row.person.id}
                row={row}
                spotlight={state.spotlight}
                hosting={call.hosting}
                act={act}
              />
            ))}
          </ul>
        </section>
        {isHosting ? (
          <Invitations
            room={state.room.name}
            mayInviteCoHosts={state.self.role === "host"}
            hosting={call.hosting}
            act={act}
          />
        ) : null}
        {isHosting && state.policy ? (
          <RoomRules
            policy={state.policy}
            mayEnd={state.self.role === "host"}
            hosting={call.hosting}
            act={act}
          />
        ) : null}
      </div>
    </Panel>
  );
}
