import { useI18n } from "../i18n/context.tsx";
import { Select } from "../parts/field.tsx";
import styles from "./chat.module.css";
import { isOutOfReach, type Recipient } from "./recipient.ts";

interface Props {
  recipient: Recipient;
  recipients: readonly NonNullable<Recipient>[];
  onChoose: (recipient: Recipient) => void;
}

/** Chooses who receives the next messages. */
export function RecipientChoice({ recipient, recipients, onChoose }: Props) {
  const { t } = useI18n();
  const isGone = isOutOfReach(recipient, recipients);
  return (
    <div className={styles.recipient}>
      <Select
        label={t.chat.to}
        icon={recipient ? "lock" : "people"}
        hideLabel
        borderless
        value={recipient?.id ?? ""}
        aria-invalid={isGone || undefined}
        data-testid="chat-to"
        onSelect={(id) => onChoose(recipients.find((each) => each.id === id) ?? null)}
      >
        <option value="">{t.chat.toEveryone}</option>
        {recipients.map(({ id, name }) => (
          <option key={id} value={id}>
            {t.chat.toOne(name)}
          </option>
        ))}
        {recipient && isGone ? (
          <option value={recipient.id} disabled>
            {t.chat.toGone(recipient.name)}
          </option>
        ) : null}
      </Select>
      {isGone ? (
        <p className={styles.error} role="alert" data-testid="chat-recipient-gone">
          {t.chat.goneHint}
        </p>
      ) : null}
    </div>
  );
}
