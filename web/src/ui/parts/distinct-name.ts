/** A name in running text, numbered where another participant's looks the same. */
export function distinctName({
  name,
  alike,
}: {
  name: string;
  alike?: number | undefined;
}): string {
  return alike === undefined ? name : `${name} (${alike})`;
}
