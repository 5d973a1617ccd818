import type { Readable } from 'node:stream';

import SMTPConnection from 'nodemailer/lib/smtp-connection';

import type { SmtpServer } from './smtp-server.ts';

/** Waits of a session. RFC 5321, 4.5.3.2 asks for ten minutes at the end of a mail: who waits less never learns what became of it. */
export interface SmtpTimeouts {
  /** To connect, and then for the greeting, each. Default 10,000. */
  readonly connectMs: number;
  /** Without a byte from the server. Default 600,000. */
  readonly silenceMs: number;
  /** For one mail, whatever the server says meanwhile. Default 900,000. */
  readonly mailMs: number;
}

export const SMTP_TIMEOUTS: SmtpTimeouts = { connectMs: 10_000, silenceMs: 600_000, mailMs: 900_000 };

export interface SmtpSessionOptions {
  readonly server: SmtpServer;
  readonly timeouts: SmtpTimeouts;
  /** Authorities to trust instead of the usual ones, PEM. */
  readonly ca?: string | undefined;
}

/** A connection to a mail server that takes one mail after another. */
export interface SmtpSession {
  /** Resolves when the server has taken the mail. Reads the first byte of it when the server is ready for it. */
  send(envelope: { readonly from: string; readonly to: string; readonly size: number }, mail: Readable, signal: AbortSignal): Promise<void>;
  /** False once either side has closed it. */
  isOpen(): boolean;
  close(): void;
}

/** Connects, encrypts, logs in. Rejects with errors as the library's. */
export async function openSmtpSession({ server, timeouts, ca }: SmtpSessionOptions, signal: AbortSignal): Promise<SmtpSession> {
  const connection = new SMTPConnection({
    ...{ host: server.host, port: server.port },
    secure: server.security === 'tls',
    requireTLS: server.security === 'starttls',
    ignoreTLS: server.security === 'none',
    ...(ca !== undefined && { tls: { ca } }),
    ...{ connectionTimeout: timeouts.connectMs, greetingTimeout: timeouts.connectMs, dnsTimeout: timeouts.connectMs },
    socketTimeout: timeouts.silenceMs,
    // A mail that is cut off must not look like a polite end.
    socketCloseTimeout: 0,
  });
  // It also emits what it tells the callbacks, and an idle session ends with nobody waiting.
  connection.on('error', () => {});
  let isOpen = true;
  connection.once('end', () => (isOpen = false));

  /** Runs one operation; also ends when the connection does, for the library does not call back then. */
  async function run(start: (done: (error?: Error | null) => void) => void, until: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The library ends a session before it says why: that counts, when it comes.
    const ended = (): void => queueMicrotask(() => reject(new Error('the connection ended')));
    const aborted = (): void => reject(Object.assign(new Error('it was given up'), { code: 'ETIMEDOUT' }));
    connection.on('error', reject).on('end', ended);
    until.addEventListener('abort', aborted);
    try {
      if (until.aborted) aborted();
      start((error) => (error ? reject(error) : resolve()));
      await promise;
    } catch (thrown) {
      connection.close();
      throw thrown;
    } finally {
      connection.off('error', reject).off('end', ended);
      until.removeEventListener('abort', aborted);
    }
  }

  await run((done) => connection.connect(done), signal);
  const { login } = server;
  if (login) await run((done) => connection.login({ user: login.user, pass: login.password }, done), signal);
  return {
    send: (envelope, mail, until) => run((done) => connection.send({ ...envelope }, mail, done), until),
    isOpen: () => isOpen,
    close: () => connection.close(),
  };
}
