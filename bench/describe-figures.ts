/** One line a figure, for `--help`. */
export function describeFigures(figures: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const lines = Object.values(figures).flatMap((group) => Object.entries(group));
  return lines.map(([name, what]) => `  ${name.padEnd(22)} ${what}`).join('\n');
}
