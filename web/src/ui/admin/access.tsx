import { Administrators } from "./administrators.tsx";
import { Keys } from "./keys.tsx";
import styles from "./parts.module.css";
import { Webhooks } from "./webhooks.tsx";

/** Administrators, keys and webhooks of this server. */
export function Access({ name }: { name: string }) {
  return (
    <div className={styles.columns}>
      <Administrators own={name} />
      <Keys />
      <Webhooks />
    </div>
  );
}
