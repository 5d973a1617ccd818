export function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}
