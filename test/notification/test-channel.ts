import { systemClock } from '#kit';

import type { Mail, MailChannel, SendOptions } from '../../services/notification/channel/mail-channel.ts';
import { createSmtpChannel, type SmtpChannelOptions } from '../../services/notification/channel/smtp-channel.ts';
import type { SmtpServer } from '../../services/notification/channel/smtp-server.ts';

const TIMEOUTS = { connectMs: 10_000, silenceMs: 10_000, mailMs: 10_000 };
const THERE: SmtpServer = { host: '127.0.0.1', port: 0, security: 'none', login: undefined };

/** A channel to a server on this machine. */
export function channelTo(place: Partial<SmtpServer>, options: Partial<SmtpChannelOptions> = {}): MailChannel {
  return createSmtpChannel({ server: { ...THERE, ...place }, from: 'shop@shop.example', clock: systemClock, timeouts: TIMEOUTS, ...options });
}

export const MAIL: Mail = {
  id: '0190-some-id',
  to: { name: 'Büyer, "the" <best>', address: 'buyer@example.com' },
  subject: 'Your order – 12 €',
  text: 'Hello,\n\n.a line that begins with a dot\n\nGrüße\n',
  date: new Date('2026-01-02T03:04:05Z'),
};

/** Whoever sends notes nothing, and never gives up. */
export const freely = (): SendOptions => ({ handOver: async () => {}, signal: new AbortController().signal });
