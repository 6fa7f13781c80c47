const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** A size in the units and the writing of a language: `2.4 MB`. */
export function fileSize(bytes: number, language: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  // 999.97 kB is 1 MB.
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const rounded = Number(value.toFixed(digits));
  if (rounded >= 1_000 && unit < UNITS.length - 1) return fileSize(1_000 ** (unit + 1), language);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[unit],
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: digits,
  }).format(rounded);
}
