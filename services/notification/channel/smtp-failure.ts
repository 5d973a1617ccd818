import type { NodemailerError } from 'nodemailer';

import { oneLine } from '../one-line.ts';
import type { MailOutcome } from './mail-channel.ts';

/** How far it had come: the session was being opened, the mail was announced, its first byte had left. */
export type Stage = 'opening' | 'announcing' | 'leaving';

/** Replies that say something of us, or of the session, and not of the mail (RFC 4954, RFC 5321). */
const ABOUT_US: ReadonlySet<number> = new Set([503, 530, 534, 535, 538]);
/** To the sender's address it is about the mail after all: its size (RFC 1870). */
const TOO_LARGE = 552;

/**
 * What became of a mail whose sending failed. A reply counts whenever it comes: none but 2yz to the end of the mail
 * says that it was taken (RFC 5321, 4.2.1). Without a reply it depends on whether the mail had begun to leave.
 */
export function outcomeOf(thrown: unknown, stage: Stage): Exclude<MailOutcome, { kind: 'taken' }> {
  // Every error of the library is one; whatever else is thrown has none of these fields.
  const { code, command, response, responseCode } = (thrown instanceof Error ? thrown : {}) as Partial<NodemailerError>;
  if (code === 'EAUTH') return { kind: 'not-now', reason: `the mail server refuses our login (${responseCode ?? 'it offers none'})` };
  // EPROTOCOL: a reply to nothing that was asked.
  if (responseCode !== undefined && responseCode >= 400 && code !== 'EPROTOCOL') {
    // No sender is taken that is ours: somebody can mend that, and every mail would fail until then.
    const isOfSender = command === 'MAIL FROM' && responseCode !== TOO_LARGE;
    const isOfMail = responseCode >= 500 && stage !== 'opening' && !isOfSender && !ABOUT_US.has(responseCode);
    return { kind: isOfMail ? 'refused' : 'not-now', reason: `the mail server says: ${withoutAddresses(response ?? String(responseCode))}` };
  }
  if (stage === 'leaving') return { kind: 'unknown', reason: 'the connection broke before the mail server said whether it has taken the mail' };
  // Our own side found that the mail cannot be: its address, or its size.
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return { kind: 'refused', reason: 'the mail server takes no mail of this size, or to this address' };
  return { kind: 'not-now', reason: `the mail server cannot be reached (${code ?? 'unknown error'})` };
}

/** Reasons go into logs, and whose mail it is does not. */
function withoutAddresses(response: string): string {
  return oneLine(response).replace(/[^\s<>]+@[^\s<>]+/g, '(address)');
}
