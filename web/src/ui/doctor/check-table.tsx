import type { DevicesFacts } from "moim-client";
import { CHECKS, type Check, type Examination } from "../../doctor/facts.ts";
import { useDoctorTexts } from "../parts/part-texts.ts";
import styles from "./doctor.module.css";

/** Every check with its outcome. */
export function CheckTable({ examination }: { examination: Examination }) {
  const doctorTexts = useDoctorTexts();
  const { devices } = examination.facts;
  // Most servers and networks have no IPv6, which is no fault.
  const shown = CHECKS.filter(
    (check) => check !== "udp6" || examination.checks.udp6.state !== "unknown",
  );
  return (
    <table className={styles.table}>
      <caption className={styles.caption}>{doctorTexts.details}</caption>
      <tbody>
        {shown.map((check) => (
          <tr key={check} data-testid="doctor-check" data-check={check}>
            <th scope="row">{doctorTexts.checks[check]}</th>
            <td className={toneOf(check, examination)}>
              <Result check={check} examination={examination} />
            </td>
          </tr>
        ))}
        {devices && <DeviceRows devices={devices} />}
      </tbody>
    </table>
  );
}

/** What fails without a consequence is no reason for alarm: one way out of several is enough. */
function toneOf(check: Check, { checks, findings }: Examination): string | undefined {
  const { state } = checks[check];
  const isBad = findings.some(({ severity }) => severity !== "advice");
  if (state === "failed" && isBad) return styles.blamed;
  return state === "passed" ? styles.passed : undefined;
}

function Result({
  check,
  examination: { checks, facts },
}: {
  check: Check;
  examination: Examination;
}) {
  const doctorTexts = useDoctorTexts();
  const { state } = checks[check];
  if (check === "nat" && facts.nat) return doctorTexts.natKinds[facts.nat];
  const { line } = facts;
  if (check === "line" && line && line.returned > 0) {
    const up = percent(line.sent, line.arrived);
    return doctorTexts.line(
      up,
      percent(line.arrived, line.returned),
      `${Math.round(line.rttMs)} ms`,
    );
  }
  const { encoder } = facts;
  if (check === "encoder" && encoder && state === "passed") {
    return doctorTexts.encoder(encoder.height, encoder.encodeMs.toFixed(1));
  }
  return doctorTexts.states[state];
}

/** The devices, once they were tested. */
function DeviceRows({ devices }: { devices: DevicesFacts }) {
  const doctorTexts = useDoctorTexts();
  return (["camera", "microphone"] as const).map((kind) => {
    const outcome = devices[kind];
    const works = outcome === "opened";
    return (
      <tr key={kind} data-testid="doctor-check" data-check={kind}>
        <th scope="row">{doctorTexts.devices[kind]}</th>
        <td className={works ? styles.passed : styles.blamed}>
          {doctorTexts.states[works ? "passed" : "failed"]}
        </td>
      </tr>
    );
  });
}

function percent(all: number, rest: number): string {
  const share = all === 0 ? 0 : (100 * (all - rest)) / all;
  return `${share.toFixed(share > 0 && share < 10 ? 1 : 0)} %`;
}
