import { useEffect, useState } from "react";
import type { Sizing } from "../../admin/types.ts";
import { TextField } from "../parts/field.tsx";
import { useAdminApi } from "./admin-context.ts";
import { Card } from "./card.tsx";
import { formatBytes, formatCores, formatRate } from "./format.ts";
import styles from "./parts.module.css";
import { useTexts } from "./texts/index.ts";

/** Time after the last key before the server is asked. */
const TYPING_MS = 300;

/** Size of the server for a number of calls, by the numbers of `moim size`. */
export function SizingCard() {
  const { t } = useTexts();
  const api = useAdminApi();
  const [rooms, setRooms] = useState("10");
  const [people, setPeople] = useState("8");
  const [pictures, setPictures] = useState("");
  const [sizing, setSizing] = useState<Sizing | null>(null);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    let isCurrent = true;
    const query = new URLSearchParams({ rooms, people });
    if (pictures) query.set("pictures", pictures);
    const timer = setTimeout(() => {
      api.get<Sizing>(`/size?${query}`).then(
        (found) => {
          if (!isCurrent) return;
          setSizing(found);
          setError(null);
        },
        (failed: Error) => {
          if (isCurrent) setError(failed.message);
        },
      );
    }, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [api, rooms, people, pictures]);

  const number = { type: "number", inputMode: "numeric", min: 1, step: 1 } as const;
  return (
    <Card title={t.sizing.title} testId="admin-sizing">
      <div className={styles.fields}>
        <TextField
          {...number}
          label={t.sizing.rooms}
          value={rooms}
          onChange={(event) => setRooms(event.target.value)}
        />
        <TextField
          {...number}
          label={t.sizing.people}
          value={people}
          onChange={(event) => setPeople(event.target.value)}
        />
        <TextField
          {...number}
          label={t.sizing.pictures}
          hint={t.sizing.picturesHint}
          value={pictures}
          onChange={(event) => setPictures(event.target.value)}
        />
      </div>
      {error ? (
        <p className={styles.failure} role="alert">
          {t.failed(error)}
        </p>
      ) : (
        sizing && (
          <>
            <dl className={styles.facts} aria-live="polite">
              <dt>{t.sizing.out}</dt>
              <dd>
                {formatRate(sizing.out_kbps)} ({t.sizing.aRoom(formatRate(sizing.room_out_kbps))})
              </dd>
              <dt>{t.sizing.in}</dt>
              <dd>{formatRate(sizing.in_kbps)}</dd>
              <dt>{t.sizing.cores}</dt>
              <dd>{formatCores(sizing.cores_permille)}</dd>
              <dt>{t.sizing.memory}</dt>
              <dd>{formatBytes(sizing.memory_mib * 2 ** 20)}</dd>
            </dl>
            <p className={styles.soft}>{sizing.is_direct ? t.sizing.direct : t.sizing.note}</p>
          </>
        )
      )}
    </Card>
  );
}
