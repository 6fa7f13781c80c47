/** The report as text, to be sent to whoever runs the network or the server. It has no addresses. */
import { CHECKS, type Examination } from "../../doctor/facts.ts";

/** Content of a report besides the findings. */
export interface About {
  /** Host of the server. */
  host: string;
  at: Date;
  userAgent: string;
}

export function reportText({ findings, checks, facts }: Examination, about: About): string {
  const { line, encoder, devices } = facts;
  const found = findings.map(
    ({ code, certainty, sentence }) => `${code} (${certainty}) ${sentence}`,
  );
  const outcomes = CHECKS.map((check) => {
    const { state, ms } = checks[check];
    return `${check}: ${state}${ms === null ? "" : `, ${Math.round(ms)} ms`}`;
  });
  const measured = line
    ? [
        `sent ${line.sent}, arrived ${line.arrived}, returned ${line.returned}; ` +
          `large ${line.largeReturned} of ${line.largeSent}; ` +
          `rtt ${Math.round(line.rttMs)} ms, jitter ${Math.round(line.jitterMs)} ms`,
      ]
    : [];
  return [
    `moim ${about.host} ${about.at.toISOString()}`,
    ...(found.length > 0 ? found : ["OK"]),
    "",
    ...outcomes,
    ...(facts.nat ? [`nat: ${facts.nat}`] : []),
    ...measured,
    ...(encoder
      ? [
          `encoder: ${encoder.encoded} of ${encoder.captured} frames of ${encoder.height} lines, ` +
            `${encoder.encodeMs.toFixed(1)} ms each`,
        ]
      : []),
    ...(devices ? [`camera: ${devices.camera}, microphone: ${devices.microphone}`] : []),
    "",
    about.userAgent,
    "",
  ].join("\n");
}
