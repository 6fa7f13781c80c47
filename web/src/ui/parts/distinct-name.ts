/** A name in running text, with a number if an earlier participant's name looks the same. */
export function distinctName({
  name,
  alike,
}: {
  name: string;
  alike?: number | undefined;
}): string {
  return alike === undefined ? name : `${name} (${alike})`;
}
