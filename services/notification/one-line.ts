import { printable } from '#kit';

/** The longest value that is shown, in characters: tracking numbers and ids are far shorter. */
const MAX_CHARACTERS = 200;

/**
 * A value from elsewhere as a part of one line of plain text: what would end the line, or is not shown at all, is a
 * dot, and so is half a character; what is too long is cut. So no value can add a header to a mail, or lines of its own.
 */
export function oneLine(value: string): string {
  // Before it is cut, so that the rest is not looked at: one more, to see that there is more.
  const characters = [...printable(value.slice(0, 4 * MAX_CHARACTERS).toWellFormed())];
  if (characters.length <= MAX_CHARACTERS) return characters.join('');
  return `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}
