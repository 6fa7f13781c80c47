/** The modules of a QR code as the outline of an SVG path. */

/** Free modules around a code that scanners need (ISO/IEC 18004 §9.1). */
export const QUIET_ZONE = 4;

/** A path of one rectangle for each run of dark modules in a row, inside the quiet zone. */
export function qrPath(modules: readonly (readonly boolean[])[]): string {
  const runs: string[] = [];
  modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x++;
      const length = x - start + 1;
      runs.push(`M${start + QUIET_ZONE} ${y + QUIET_ZONE}h${length}v1h-${length}z`);
    }
  });
  return runs.join("");
}
