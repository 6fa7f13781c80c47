import type { Hosting, Waiting } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { PersonName } from "../parts/person-name.tsx";
import type { Act } from "./act.ts";
import styles from "./people.module.css";

/** More would make the dialog slow; the others follow as these are decided. */
const MAX_SHOWN = 50;

interface Props {
  waiting: readonly Waiting[];
  hosting: Hosting;
  act: Act;
}

/** People in the waiting room, to be let in or turned away. */
export function WaitingPeople({ waiting, hosting, act }: Props) {
  const { t } = useI18n();
  return (
    <section className={styles.section} data-testid="waiting-people">
      <div className={styles.row}>
        <h3 className={styles.heading}>{t.people.waiting}</h3>
        {waiting.length > 1 ? (
          <button
            type="button"
            className={styles.action}
            data-testid="admit-all"
            onClick={() => act(hosting.admit(null))}
          >
            {t.people.admitAll}
          </button>
        ) : null}
      </div>
      <ul className={styles.list}>
        {waiting.slice(0, MAX_SHOWN).map(({ id, name }) => (
          <li key={id} className={styles.person} data-testid="waiting-person" data-name={name}>
            <div className={styles.row}>
              <span className={styles.avatar}>
                <Avatar name={name} />
              </span>
              <span className={styles.name}>
                <PersonName name={name} />
              </span>
              <button
                type="button"
                className={styles.action}
                aria-label={t.people.denyNamed(name)}
                data-testid="deny"
                onClick={() => act(hosting.deny([id]))}
              >
                {t.people.deny}
              </button>
              <button
                type="button"
                className={`${styles.action} ${styles.primary}`}
                aria-label={t.people.admitNamed(name)}
                data-testid="admit"
                onClick={() => act(hosting.admit([id]))}
              >
                {t.people.admit}
              </button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
