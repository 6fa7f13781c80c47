/** Joins class names, without those that are missing: React Aria takes no `undefined`. */
export function cx(...names: readonly (string | undefined | false)[]): string {
  return names.filter(Boolean).join(" ");
}
