/** A calendar event as a file of iCalendar (RFC 5545). */

export interface CalendarEvent {
  /** Globally unique (RFC 7986 §5.3). */
  uid: string;
  /** When the file is made. */
  now: Date;
  start: Date;
  minutes: number;
  summary: string;
  description: string;
  /** Link to the call. */
  url: string;
}

/** A UID that tells nothing about the event, its maker or the time (RFC 7986 §5.3). */
export function newUid(host: string): string {
  // `randomUUID` is missing on pages without TLS.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}@${host}`;
}

/** Octets of a line, without its break (§3.1). */
const MAX_LINE_OCTETS = 75;

/** The text of the file, with an alarm ten minutes before the start. */
export function calendarFile(event: CalendarEvent): string {
  const end = new Date(event.start.getTime() + event.minutes * 60_000);
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//moim//moim//EN",
    "BEGIN:VEVENT",
    `UID:${text(event.uid)}`,
    `DTSTAMP:${utc(event.now)}`,
    `DTSTART:${utc(event.start)}`,
    `DTEND:${utc(end)}`,
    `SUMMARY:${text(event.summary)}`,
    `DESCRIPTION:${text(event.description)}`,
    `LOCATION:${text(event.url)}`,
    // A URI is no TEXT: commas and semicolons stand as they are (§3.3.13).
    `URL:${event.url}`,
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "TRIGGER:-PT10M",
    `DESCRIPTION:${text(event.summary)}`,
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join("");
}

/** A time in UTC, form 2 (§3.3.5). */
function utc(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** A value of type TEXT (§3.3.11), without control characters. */
function text(value: string): string {
  return value
    .replace(/[\\;,]/g, "\\$&")
    .replace(/\r\n|\r|\n/g, "\\n")
    .replace(/\p{Cc}/gu, "");
}

/** Breaks a long line between characters; the next one begins with a space that does not count. */
function fold(line: string): string {
  const encoder = new TextEncoder();
  let folded = "";
  let octets = 0;
  for (const character of line) {
    const size = encoder.encode(character).length;
    if (octets + size > MAX_LINE_OCTETS) {
      folded += "\r\n ";
      octets = 1;
    }
    folded += character;
    octets += size;
  }
  return folded;
}
