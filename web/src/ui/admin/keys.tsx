import { useState } from "react";
import { pathOf } from "../../admin/admin-api.ts";
import { ACCESSES, type ApiKey, type KeyAccess } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { Select, TextField } from "../parts/field.tsx";
import { AddForm } from "./add-form.tsx";
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

/** The keys of programs: make one, which is shown once, and remove. */
export function Keys() {
  const { t, language } = useTexts();
  const api = useAdminApi();
  const list = usePages<ApiKey>("/keys");
  const action = useAction();
  const [name, setName] = useState("");
  const [access, setAccess] = useState<KeyAccess>("rooms");
  const [secret, setSecret] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<ApiKey | null>(null);

  const add = async () => {
    await action.run(async () => {
      const made = await api.post<ApiKey & { secret: string }>("/keys", { name, access });
      setSecret(made.secret);
      setName("");
    });
    list.reload();
  };
  const remove = async ({ id }: ApiKey) => {
    await action.run(() => api.remove(pathOf("keys", id)));
    setSecret(null);
    list.reload();
  };

  return (
    <Card title={t.access.keys} lead={t.access.keysLead} testId="admin-keys">
      {list.items?.length === 0 && <p className={styles.soft}>{t.access.noKeys}</p>}
      <ul className={styles.list}>
        {(list.items ?? []).map((key) => (
          <li key={key.id} className={styles.item} data-testid="admin-key">
            <span className={styles.itemText}>
              <strong>
                <bdi>{key.name}</bdi>
              </strong>
              <span className={styles.soft}>
                {[
                  t.access.accesses[key.access],
                  t.access.created(formatDate(key.created_at, language)),
                  key.used_at
                    ? t.access.used(formatDate(key.used_at, language))
                    : t.access.neverUsed,
                  ...(key.expires_at
                    ? [t.access.expires(formatDate(key.expires_at, language))]
                    : []),
                ].join(" · ")}
              </span>
            </span>
            <SmallButton
              aria-label={t.access.removeOf(key.name)}
              disabled={action.isBusy}
              onClick={() => setLeaving(key)}
            >
              {t.access.remove}
            </SmallButton>
          </li>
        ))}
      </ul>
      {list.hasMore && <Button onClick={list.more}>{t.more}</Button>}
      {secret && <Secret label={t.access.newKey} value={secret} testId="admin-key-secret" />}
      <AddForm
        label={t.access.add}
        testId="admin-key-add"
        isBusy={action.isBusy}
        failure={action.error ?? (list.error === null ? null : t.failed(list.error))}
        onAdd={add}
      >
        <TextField
          label={t.access.keyName}
          hint={t.access.keyNameHint}
          value={name}
          maxLength={100}
          autoComplete="off"
          required
          data-testid="admin-key-name"
          onChange={(event) => setName(event.target.value)}
        />
        <Select
          label={t.access.keyAccess}
          icon="lock"
          value={access}
          onSelect={(value) => setAccess(ACCESSES.find((known) => known === value) ?? "rooms")}
        >
          {ACCESSES.map((known) => (
            <option key={known} value={known}>
              {t.access.accesses[known]}
            </option>
          ))}
        </Select>
      </AddForm>
      {leaving && (
        <Confirm
          title={t.access.removeTitle(leaving.name)}
          action={t.access.remove}
          onConfirm={() => void remove(leaving)}
          onClose={() => setLeaving(null)}
        >
          {t.access.removeKey}
        </Confirm>
      )}
    </Card>
  );
}
