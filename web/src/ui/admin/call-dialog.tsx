import { type FormEvent, useCallback, useEffect, useState } from "react";
import { pathOf } from "../../admin/admin-api.ts";
import type { Call, CallDetails, CallQuality, Participation } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { useAdminApi } from "./admin-context.ts";
import { formatMoment, formatTime } from "./format.ts";
import styles from "./parts.module.css";
import { percent } from "./quality.ts";
import tables from "./tables.module.css";
import { type Texts, useTexts } from "./texts/index.ts";

/** The problems of one call, in sentences, and its people. */
export function CallDialog({ call, onClose }: { call: Call; onClose: () => void }) {
  const { t, language } = useTexts();
  const api = useAdminApi();
  const path = pathOf("calls", call.id);
  const [details, setDetails] = useState<CallDetails | null>(null);
  const [quality, setQuality] = useState<CallQuality | null>(null);
  const [at, setAt] = useState("");
  const [error, setError] = useState<string | null>(null);

  const look = useCallback(
    async (moment: string) => {
      const query = new URLSearchParams({ lang: language });
      if (moment) query.set("at", moment);
      try {
        setQuality(await api.get<CallQuality>(`${path}/quality?${query}`));
        setError(null);
      } catch (failed) {
        setError(failed instanceof Error ? failed.message : String(failed));
      }
    },
    [api, path, language],
  );
  useEffect(() => {
    void look("");
    api.get<CallDetails>(path).then(setDetails, () => {});
  }, [api, path, look]);

  return (
    <Dialog
      title={`${call.room} · ${formatMoment(call.began_at, language)}`}
      onClose={onClose}
      isWide
    >
      <section className={styles.stack}>
        <h3 className={styles.cardTitle}>{t.calls.why}</h3>
        <div className={styles.stack} aria-live="polite" data-testid="admin-call-quality">
          {(quality?.text ?? t.loading).split("\n").map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
        <form
          className={tables.ask}
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            void look(at.trim());
          }}
        >
          <TextField
            label={t.calls.at}
            hint={t.calls.atHint}
            value={at}
            placeholder="14:05"
            inputMode="numeric"
            error={error ? t.failed(error) : null}
            onChange={(event) => setAt(event.target.value)}
          />
          <Button type="submit">{t.calls.look}</Button>
        </form>
      </section>
      {details && details.participations.length > 0 && (
        <Participations participations={details.participations} t={t} language={language} />
      )}
    </Dialog>
  );
}

interface TableProps {
  participations: Participation[];
  t: Texts;
  language: string;
}

function Participations({ participations, t, language }: TableProps) {
  return (
    <table className={tables.table}>
      <caption className={tables.caption}>{t.calls.participants}</caption>
      <thead>
        <tr>
          <th scope="col">{t.calls.name}</th>
          <th scope="col">{t.calls.there}</th>
          <th scope="col">{t.rooms.connection}</th>
          <th scope="col" className={tables.number}>
            {t.calls.roundTrip}
          </th>
          <th scope="col" className={tables.number}>
            {t.calls.loss}
          </th>
          <th scope="col" className={tables.number}>
            {t.calls.stalled}
          </th>
        </tr>
      </thead>
      <tbody>
        {participations.map((one) => (
          <tr key={`${one.name} ${one.joined_at}`}>
            <th scope="row">
              <bdi>{one.name}</bdi>
            </th>
            <td data-label={t.calls.there}>
              {formatTime(one.joined_at, language)}–
              {one.left_at ? formatTime(one.left_at, language) : ""}
            </td>
            <td data-label={t.rooms.connection}>
              {one.transport ? (t.quality.transports[one.transport] ?? one.transport) : t.unknown}
            </td>
            <td data-label={t.calls.roundTrip} className={tables.number}>
              {one.round_trip_ms === undefined ? t.unknown : `${one.round_trip_ms} ms`}
            </td>
            <td data-label={t.calls.loss} className={tables.number}>
              {lossOf(one.loss_up_permille, t)} {lossOf(one.loss_down_permille, t)}
            </td>
            <td data-label={t.calls.stalled} className={tables.number}>
              {t.calls.seconds(one.stalled_seconds)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function lossOf(permille: number | undefined, t: Texts): string {
  return permille === undefined ? t.unknown : percent(permille);
}
