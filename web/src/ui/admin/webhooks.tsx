import { useState } from "react";
import { pathOf } from "../../admin/admin-api.ts";
import type { Webhook } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { Select, TextField } from "../parts/field.tsx";
import { AddForm } from "./add-form.tsx";
import { useAdminApi } from "./admin-context.ts";
import { Card } from "./card.tsx";
import { Confirm } from "./confirm.tsx";
import styles from "./parts.module.css";
import { Secret } from "./secret.tsx";
import { SmallButton } from "./small-button.tsx";
import { type Texts, useTexts } from "./texts/index.ts";
import { useAction } from "./use-action.ts";
import { usePages } from "./use-pages.ts";

const FORMS = ["standard", "livekit"] as const;

/** Webhooks: make one, whose secret is shown once, and remove. */
export function Webhooks() {
  const { t } = useTexts();
  const api = useAdminApi();
  const list = usePages<Webhook>("/webhooks");
  const action = useAction();
  const [url, setUrl] = useState("");
  const [form, setForm] = useState<Webhook["form"]>("standard");
  const [secret, setSecret] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<Webhook | null>(null);
  if (list.isMissing) return null;

  const add = async () => {
    await action.run(async () => {
      const made = await api.post<Webhook & { secret?: string }>("/webhooks", { url, form });
      setSecret(made.secret ?? null);
      setUrl("");
    });
    list.reload();
  };
  const remove = async ({ id }: Webhook) => {
    await action.run(() => api.remove(pathOf("webhooks", id)));
    setSecret(null);
    list.reload();
  };

  return (
    <Card title={t.access.webhooks} lead={t.access.webhooksLead} testId="admin-webhooks">
      {list.items?.length === 0 && <p className={styles.soft}>{t.access.noWebhooks}</p>}
      <ul className={styles.list}>
        {(list.items ?? []).map((webhook) => (
          <li key={webhook.id} className={styles.item} data-testid="admin-webhook">
            <span className={styles.itemText}>
              <strong>{webhook.url}</strong>
              <span className={styles.soft}>{stateOf(webhook, t)}</span>
              {webhook.failure && <span className={styles.failure}>{webhook.failure}</span>}
            </span>
            {!webhook.configured && (
              <SmallButton
                aria-label={t.access.removeOf(webhook.url)}
                disabled={action.isBusy}
                onClick={() => setLeaving(webhook)}
              >
                {t.access.remove}
              </SmallButton>
            )}
          </li>
        ))}
      </ul>
      {list.hasMore && <Button onClick={list.more}>{t.more}</Button>}
      {secret && (
        <Secret label={t.access.newWebhook} value={secret} testId="admin-webhook-secret" />
      )}
      <AddForm
        label={t.access.addWebhook}
        testId="admin-webhook-add"
        isBusy={action.isBusy}
        failure={action.error ?? (list.error === null ? null : t.failed(list.error))}
        onAdd={add}
      >
        <TextField
          label={t.access.webhookUrl}
          type="url"
          value={url}
          maxLength={2048}
          placeholder="https://"
          autoComplete="off"
          required
          data-testid="admin-webhook-url"
          onChange={(event) => setUrl(event.target.value)}
        />
        <Select
          label={t.access.webhookForm}
          icon="settings"
          value={form}
          onSelect={(value) => setForm(FORMS.find((known) => known === value) ?? "standard")}
        >
          {FORMS.map((known) => (
            <option key={known} value={known}>
              {t.access.forms[known]}
            </option>
          ))}
        </Select>
      </AddForm>
      {leaving && (
        <Confirm
          title={t.access.removeTitle(leaving.url)}
          action={t.access.remove}
          onConfirm={() => void remove(leaving)}
          onClose={() => setLeaving(null)}
        >
          {t.access.removeWebhook}
        </Confirm>
      )}
    </Card>
  );
}

function stateOf(webhook: Webhook, t: Texts): string {
  const words = [t.access.forms[webhook.form]];
  if (!webhook.enabled) words.push(t.access.webhookOff);
  if (webhook.configured) words.push(t.access.configured);
  words.push(webhook.pending > 0 ? t.access.pending(webhook.pending) : t.access.delivered);
  return words.join(" · ");
}
