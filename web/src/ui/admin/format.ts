/** Times, sizes and rates as people read them. */

export function formatTime(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(at));
}

/** With the day, unless it is today. */
export function formatMoment(at: string, language: string, now = new Date()): string {
  const date = new Date(at);
  if (date.toDateString() === now.toDateString()) return formatTime(at, language);
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    date,
  );
}

export function formatDate(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(at));
}

/** Kilobits per second. */
export function formatRate(kbps: number): string {
  if (kbps >= 10_000_000) return `${Math.ceil(kbps / 1_000_000)} Gb/s`;
  if (kbps >= 10_000) return `${Math.ceil(kbps / 1000)} Mb/s`;
  if (kbps >= 1000) return `${(kbps / 1000).toFixed(1)} Mb/s`;
  return `${Math.round(kbps)} kb/s`;
}

export function formatBytes(bytes: number): string {
  const mib = bytes / 2 ** 20;
  return mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${Math.round(mib)} MiB`;
}

/** Minutes between two times, rounded up. */
export function minutesBetween(from: string, to: string): number {
  return Math.ceil((Date.parse(to) - Date.parse(from)) / 60_000);
}

/** Cores from thousandths, rounded up to tenths. */
export function formatCores(permille: number): string {
  return (Math.ceil(permille / 100) / 10).toFixed(1);
}
