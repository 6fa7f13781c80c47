import { useState } from "react";
import { pathOf } from "../../admin/admin-api.ts";
import type { Administrator, AdministratorLink } from "../../admin/types.ts";
import { useAdminApi } from "./admin-context.ts";
import { Card } from "./card.tsx";
import { Confirm } from "./confirm.tsx";
import { formatDate } from "./format.ts";
import styles from "./parts.module.css";
import { Secret } from "./secret.tsx";
import { SmallButton } from "./small-button.tsx";
import { useTexts } from "./texts/index.ts";
import { useAction } from "./use-action.ts";
import { usePages } from "./use-pages.ts";

/** The administrators, and the link that makes another one. */
export function Administrators({ own }: { own: string }) {
  const { t, language } = useTexts();
  const api = useAdminApi();
  const list = usePages<Administrator>("/administrators");
  const action = useAction();
  const [link, setLink] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<Administrator | null>(null);

  const invite = () =>
    action.run(async () => {
      const made = await api.post<AdministratorLink>("/administrators/link");
      // By the address that works for whoever makes it.
      setLink(location.origin + made.path);
    });
  const remove = async ({ name }: Administrator) => {
    await action.run(() => api.remove(pathOf("administrators", name)));
    list.reload();
  };

  return (
    <Card title={t.access.administrators} testId="admin-administrators">
      <ul className={styles.list}>
        {(list.items ?? []).map((one) => (
          <li key={one.name} className={styles.item}>
            <span className={styles.itemText}>
              <strong>
                <bdi>{one.name}</bdi>
              </strong>
              <span className={styles.soft}>
                {t.access.since(formatDate(one.created_at, language))}
              </span>
            </span>
            {one.name === own ? (
              <span className={styles.chip}>{t.access.you}</span>
            ) : (
              <SmallButton
                aria-label={t.access.removeOf(one.name)}
                disabled={action.isBusy}
                onClick={() => setLeaving(one)}
              >
                {t.access.remove}
              </SmallButton>
            )}
          </li>
        ))}
      </ul>
      <p className={styles.soft}>{t.access.inviteLead}</p>
      <div className={styles.row}>
        <SmallButton onClick={() => void invite()} disabled={action.isBusy}>
          {t.access.invite}
        </SmallButton>
      </div>
      {link && <Secret label={t.access.linkLabel} value={link} testId="admin-link" />}
      {(action.error ?? list.error) && (
        <p className={styles.failure} role="alert">
          {action.error ?? t.failed(list.error ?? "")}
        </p>
      )}
      {leaving && (
        <Confirm
          title={t.access.removeTitle(leaving.name)}
          action={t.access.remove}
          onConfirm={() => void remove(leaving)}
          onClose={() => setLeaving(null)}
        >
          {t.access.removeAdmin}
        </Confirm>
      )}
    </Card>
  );
}
