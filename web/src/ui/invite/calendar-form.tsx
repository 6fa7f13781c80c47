import { type FormEvent, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Select, TextField } from "../parts/field.tsx";
import { calendarFile, newUid } from "./calendar-event.ts";
import styles from "./invite.module.css";
import { localInput, nextHour } from "./local-time.ts";

/** Lengths of a call, in minutes. */
const LENGTHS = [30, 60, 120] as const;

/** Saves a call as an event for the user's own calendar. */
export function CalendarForm({ room, link }: { room: string; link: string }) {
  const { t } = useI18n();
  const [start, setStart] = useState(() => localInput(nextHour(new Date())));
  const [minutes, setMinutes] = useState<number>(LENGTHS[1]);
  const [isMissing, setMissing] = useState(false);
  function save(event: FormEvent) {
    event.preventDefault();
    // A value without a zone is in the user's own.
    const time = new Date(start);
    setMissing(Number.isNaN(time.getTime()));
    if (Number.isNaN(time.getTime())) return;
    const file = calendarFile({
      uid: newUid(location.hostname),
      now: new Date(),
      start: time,
      minutes,
      summary: t.reach.invite.mailSubject(room),
      description: t.reach.invite.mailBody(room, link),
      url: link,
    });
    download(file, `${t.reach.invite.fileName}.ics`);
  }
  return (
    <form className={styles.calendar} onSubmit={save} noValidate>
      <TextField
        label={t.reach.invite.start}
        type="datetime-local"
        value={start}
        error={isMissing ? t.reach.invite.noStart : null}
        data-testid="invite-start"
        onChange={(event) => setStart(event.target.value)}
      />
      <Select
        label={t.reach.invite.length}
        icon="clock"
        value={minutes}
        onSelect={(value) => setMinutes(Number(value))}
      >
        {LENGTHS.map((length) => (
          <option key={length} value={length}>
            {t.reach.invite.minutes(length)}
          </option>
        ))}
      </Select>
      <Button type="submit" data-testid="invite-ics">
        {t.reach.invite.download}
      </Button>
    </form>
  );
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/calendar;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not before the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
