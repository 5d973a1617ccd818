import { SERVER_IDENTITY } from '../identity/channel-credentials.ts';

/** OpenSSL's words for certificates that it does not accept, and ours for one that it does and that is not the service's. */
const WORDS = [
  `${SERVER_IDENTITY}: `,
  'self-signed certificate',
  'unable to (?:get|verify) ',
  'certificate (?:has expired|is not yet valid|signature failure|rejected|not trusted|chain too long)',
  '(?:unsuitable|unsupported|invalid) (?:certificate|CA)',
];
const UNPROVED = new RegExp(WORDS.join('|'), 'i');

/** Whether a connection was not made because of whom it led to: from the sentence that grpc-js leaves of it. */
export function isUnprovedServer(why: string): boolean {
  return UNPROVED.test(why);
}

/** For whoever called; what is wrong with the certificate is in the call's span. */
export function unprovedServerInWords(service: string): string {
  return `whoever answers where ${service} is registered does not prove to be ${service}, so nothing was sent; \`npx mesh ps\` shows who is registered where`;
}
