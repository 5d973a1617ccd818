import { simpleParser } from 'mailparser';

import { FORGED_ADDRESS, FORGED_LINE, RENDERED } from './hostile-strings.ts';

/** Lines of a log that are not one JSON object each, or that nobody wrote. */
export function wrongLogLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !isOwnLine(line));
}

function isOwnLine(line: string): boolean {
  if (hasControls(line)) return false;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'level' in entry && 'msg' in entry && entry.msg !== FORGED_LINE;
  } catch {
    return false;
  }
}

/** What a terminal would act on. */
function hasControls(line: string): boolean {
  return [...line].some((character) => character < ' ' || character === '\u007f');
}

/** Headers, recipients or parts of mails that nobody meant them to have, in words. */
export async function wrongInMail(source: string): Promise<string[]> {
  const head = source.split(/\r?\n\r?\n/)[0] ?? '';
  const names = head.split(/\r?\n/).filter((line) => !/^\s/.test(line)).map((line) => line.split(':')[0]?.toLowerCase() ?? '');
  const mail = await simpleParser(source);
  const recipients = [mail.to, mail.cc, mail.bcc].flat().flatMap((addresses) => addresses?.value ?? []);
  return [
    ...names.filter((name) => !OWN_HEADERS.has(name)).map((name) => `a header ${name}`),
    ...(names.length === new Set(names).size ? [] : ['a header twice']),
    ...recipients.filter(({ address }) => address === FORGED_ADDRESS).map(() => 'a forged recipient'),
    ...(recipients.length === 1 ? [] : [`${recipients.length} recipients`]),
    ...(mail.text?.split(/\r?\n/).includes(FORGED_LINE) ? ['a line of its own'] : []),
  ];
}

const OWN_HEADERS: ReadonlySet<string> = new Set(['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type', 'content-transfer-encoding', 'auto-submitted']);

/** Whether an expression in a text was worked out. */
export function isRendered(text: string): boolean {
  return text.includes(RENDERED);
}
