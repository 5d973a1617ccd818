/** Text that comes from anyone: what would move the cursor or colour the terminal is shown as a dot, and so is the end of a line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
}
