import MailComposer from 'nodemailer/lib/mail-composer';

import type { Mail } from './mail-channel.ts';

/**
 * A mail as RFC 5322 has it. Its Message-ID comes from the notification's id, so that whoever gets it twice can tell.
 * @param from a bare address
 */
export function composeMail({ id, to, subject, text, date }: Mail, from: string): Promise<Buffer> {
  const composer = new MailComposer({
    ...{ from, to, subject, text, date },
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    // Nobody's out-of-office reply is wanted (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  });
  return composer.compile().build();
}
