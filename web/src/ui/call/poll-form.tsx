import type { Polling } from "moim-client";
import { type FormEvent, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { usePollTexts } from "../parts/part-texts.ts";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import {
  askOf,
  duplicateOf,
  EMPTY_DRAFT,
  MAX_POLL_TEXT,
  type PollDraft,
  withOption,
} from "./poll-draft.ts";
import styles from "./polls.module.css";

interface Props {
  onAsk: (poll: Parameters<Polling["ask"]>[0]) => void;
  onCancel: (() => void) | undefined;
}

/** The form that opens a poll. */
export function PollForm({ onAsk, onCancel }: Props) {
  const { t } = useI18n();
  const pollTexts = usePollTexts();
  const [draft, setDraft] = useState<PollDraft>(EMPTY_DRAFT);
  const ask = askOf(draft);
  const duplicate = duplicateOf(draft.options);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ask) onAsk(ask);
  };
  return (
    <form className={styles.form} data-testid="poll-form" onSubmit={submit}>
      <TextField
        label={pollTexts.question}
        value={draft.question}
        maxLength={MAX_POLL_TEXT}
        autoFocus
        data-testid="poll-question"
        onChange={({ target }) => setDraft({ ...draft, question: target.value })}
      />
      <fieldset className={styles.fields}>
        <legend className={styles.legend}>{pollTexts.options}</legend>
        {draft.options.map((option, place) => (
          <TextField
            // biome-ignore lint/suspicious/noArrayIndexKey: an option has no other identity.
            key={place}
            label={pollTexts.option(place + 1)}
            value={option}
            maxLength={MAX_POLL_TEXT}
            error={place === duplicate ? pollTexts.duplicate : null}
            data-testid="poll-option"
            onChange={({ target }) => setDraft(withOption(draft, place, target.value))}
          />
        ))}
      </fieldset>
      <ToggleChoice
        checked={draft.multiple}
        testId="poll-multiple"
        onChange={(multiple) => setDraft({ ...draft, multiple })}
      >
        {pollTexts.allowSeveral}
      </ToggleChoice>
      <ToggleChoice
        checked={draft.named}
        testId="poll-named"
        onChange={(named) => setDraft({ ...draft, named })}
      >
        {pollTexts.showNames}
      </ToggleChoice>
      <div className={styles.buttons}>
        <Button type="submit" variant="primary" disabled={!ask} data-testid="poll-start">
          {pollTexts.start}
        </Button>
        {onCancel ? <Button onClick={onCancel}>{t.people.cancel}</Button> : null}
      </div>
    </form>
  );
}
