import { useState } from "react";
import type { Facts } from "../../doctor/facts.ts";
import { sendReport } from "../../doctor/judge.ts";
import { useAnnounce } from "../announcer.tsx";
import { Button } from "../parts/button.tsx";
import { useDoctorTexts } from "../parts/part-texts.ts";
import styles from "./doctor.module.css";

/** Sends the report to the host of the server, with addresses only if the visitor ticks it. */
export function SendReport({ facts }: { facts: Facts }) {
  const doctorTexts = useDoctorTexts();
  const announce = useAnnounce();
  const words = doctorTexts.send;
  const [withAddresses, setWithAddresses] = useState(false);
  const [state, setState] = useState<"unsent" | "sending" | "sent" | "failed">("unsent");

  const send = async () => {
    setState("sending");
    try {
      await sendReport(facts, withAddresses);
      setState("sent");
      announce(words.sent);
    } catch {
      setState("failed");
      announce(words.failed);
    }
  };

  return (
    <div className={styles.send} data-testid="doctor-send-form">
      <div className={styles.actions}>
        <Button
          data-testid="doctor-send"
          busy={state === "sending" || state === "sent"}
          onClick={send}
        >
          {state === "sent" ? words.sent : words.send}
        </Button>
        <label className={styles.tick}>
          <input
            type="checkbox"
            data-testid="doctor-send-addresses"
            checked={withAddresses}
            disabled={state === "sending" || state === "sent"}
            onChange={(event) => setWithAddresses(event.currentTarget.checked)}
          />
          {words.withAddresses}
        </label>
      </div>
      <p className={styles.note}>{state === "failed" ? words.failed : words.note}</p>
    </div>
  );
}
