import { isIP } from 'node:net';

import { refusal } from '#kit';

/** A mail server, and how to talk to it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /**
   * `tls`: from the first byte. `starttls`: upgraded before anything is said, or nothing is. `none`: in the clear, for
   * this machine and for networks that one trusts.
   */
  readonly security: 'tls' | 'starttls' | 'none';
  readonly login: { readonly user: string; readonly password: string } | undefined;
}

/** Submission, with TLS from the first byte or by STARTTLS (RFC 8314). */
const PORTS = { tls: 465, starttls: 587, none: 587 } as const;

/**
 * Reads SMTP_URL: `smtps://` is TLS, `smtp://` is STARTTLS, and on this machine, or with `?tls=off`, nothing is
 * encrypted. INVALID_SETTING, whose sentence does not repeat the URL: it may hold a password.
 */
export function readSmtpUrl(text: string): SmtpServer {
  const url = URL.parse(text);
  if (!url || !(url.protocol === 'smtp:' || url.protocol === 'smtps:') || url.hostname === '') {
    throw refusal('INVALID_SETTING', 'SMTP_URL is not the address of a mail server; write it like smtp://user:password@mail.example.com:587, or smtps://…');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const security = securityOf(url, host);
  const login = loginOf(url);
  if (login && security === 'none' && !isThisMachine(host)) {
    throw refusal('INVALID_SETTING', 'SMTP_URL has a password that would travel unencrypted; leave tls=off out, or the user and password');
  }
  return { host, port: url.port === '' ? PORTS[security] : Number(url.port), security, login };
}

function securityOf(url: URL, host: string): SmtpServer['security'] {
  for (const [name, value] of url.searchParams) {
    if (name === 'tls' && value === 'off' && url.protocol === 'smtp:') continue;
    throw refusal('INVALID_SETTING', 'SMTP_URL has an option that is none; there is only tls=off, for smtp://');
  }
  if (url.protocol === 'smtps:') return 'tls';
  return url.searchParams.has('tls') || isThisMachine(host) ? 'none' : 'starttls';
}

function loginOf({ username, password }: URL): SmtpServer['login'] {
  if (username === '' && password === '') return undefined;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw refusal('INVALID_SETTING', 'the user or password in SMTP_URL has a % that encodes nothing; write it as %25');
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
