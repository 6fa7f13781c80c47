/** The text, cut with an ellipsis where it has more than `most` characters. */
export function clip(text: string, most: number): string {
  const characters = Array.from(text.slice(0, 2 * most + 2));
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
