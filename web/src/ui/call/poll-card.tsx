import type { Poll, Polling } from "moim-client";
import { useId, useState } from "react";
import { Button } from "../parts/button.tsx";
import { clip } from "../parts/clip.ts";
import { Icon } from "../parts/icon.tsx";
import { usePollTexts } from "../parts/part-texts.ts";
import type { Act } from "./act.ts";
import { Confirmed } from "./confirmed.tsx";
import styles from "./polls.module.css";

/** Characters of a name in a list of those who voted. */
const MAX_NAME = 40;

interface Props {
  poll: Poll;
  polling: Polling;
  /** This participant may close and remove it. */
  mayManage: boolean;
  act: Act;
}

/** A poll: its options to choose from, and the result so far. */
export function PollCard({ poll, polling, mayManage, act }: Props) {
  const pollTexts = usePollTexts();
  const name = useId();
  const [draft, setDraft] = useState<readonly number[] | null>(null);
  const { id, question, options, multiple, named, closed, voters, by, mine } = poll;
  const chosen = draft ?? mine;
  const isChanged = draft !== null && draft.join() !== mine.join();
  const choose = (place: number, isChosen: boolean) => {
    const others = multiple ? chosen.filter((each) => each !== place) : [];
    setDraft(isChosen ? [...others, place].sort((a, b) => a - b) : others);
  };
  const about = [
    named ? pollTexts.byName : pollTexts.anonymous,
    ...(multiple ? [pollTexts.several] : []),
    closed ? pollTexts.closed : pollTexts.open,
  ];
  return (
    <li>
      <form
        className={styles.card}
        data-testid="poll"
        data-poll={id}
        data-closed={closed}
        onSubmit={(event) => {
          event.preventDefault();
          if (isChanged) act(polling.vote(id, chosen).then(() => setDraft(null)));
        }}
      >
        <header className={styles.head}>
          <h3 id={`${name} question`} className={styles.question} dir="auto">
            {question}
          </h3>
          <p className={styles.about}>
            <bdi title={by}>{clip(by, MAX_NAME)}</bdi> · {about.join(" · ")}
          </p>
        </header>
        <fieldset className={styles.options} aria-labelledby={`${name} question`}>
          {options.map(({ text, votes, names = [] }, place) => {
            const share = voters > 0 ? votes / voters : 0;
            const content = (
              <>
                <span className={styles.text} dir="auto">
                  {text}
                </span>
                <span className={styles.votes} data-testid="poll-votes">
                  {pollTexts.votes(votes)}
                </span>
                <span className={styles.bar} aria-hidden="true">
                  <span className={styles.share} style={{ inlineSize: `${share * 100}%` }} />
                </span>
                {names.length > 0 ? (
                  <span className={styles.names} title={names.join(", ")} data-testid="poll-names">
                    {names.map((name) => clip(name, MAX_NAME)).join(", ")}
                  </span>
                ) : null}
              </>
            );
            return closed ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: options of a poll never change.
              <div key={place} className={styles.option} data-testid="poll-choice">
                <span className={styles.mark}>
                  {mine.includes(place) ? <Icon name="check" size={18} /> : null}
                </span>
                {content}
              </div>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: options of a poll never change.
              <label key={place} className={styles.option}>
                <input
                  type={multiple ? "checkbox" : "radio"}
                  name={name}
                  className={styles.mark}
                  checked={chosen.includes(place)}
                  data-testid="poll-choice"
                  onChange={({ target }) => choose(place, target.checked)}
                />
                {content}
              </label>
            );
          })}
        </fieldset>
        <p className={styles.about} data-testid="poll-voters">
          {pollTexts.voters(voters)}
          {mine.length > 0 ? ` · ${pollTexts.youVoted}` : null}
        </p>
        <div className={styles.buttons}>
          {closed ? null : (
            <Button type="submit" variant="primary" data-testid="poll-vote">
              {mine.length > 0 ? pollTexts.changeVote : pollTexts.vote}
            </Button>
          )}
          {mayManage && !closed ? (
            <Button data-testid="poll-close" onClick={() => act(polling.close(id))}>
              {pollTexts.close}
            </Button>
          ) : null}
          {mayManage ? (
            <Confirmed
              label={pollTexts.remove}
              why={pollTexts.removeWhy}
              testId="poll-remove"
              onConfirm={() => act(polling.remove(id))}
            />
          ) : null}
        </div>
      </form>
    </li>
  );
}
