import { printable, systemClock } from '#kit';

import { table } from '../output.ts';
import { roughTime } from '../status/rough-time.ts';
import type { Guarded } from './ask-guards.ts';

/** `mesh intentions report`. */
export function renderReport(guarded: Guarded, nowMs = systemClock.now()): string {
  const { asked, answered } = guarded;
  return [...certificateLines(guarded, nowMs), '', ...denialLines(guarded, nowMs), '', `${answered} of ${asked} instance${asked === 1 ? '' : 's'} answered; they count since they started`].join('\n');
}

function certificateLines({ withoutCertificate, otherCallsWithoutCertificate: others }: Guarded, nowMs: number): readonly string[] {
  if (withoutCertificate.length === 0) return ['nobody has called without a certificate'];
  const rows = withoutCertificate.map(({ address, destination, method, calls, firstMs, lastMs, refused }) => [
    ...[printable(address), destination, method, String(calls), refused ? 'refused' : 'let in', `${roughTime(nowMs - firstMs)} ago`, `${roughTime(nowMs - lastMs)} ago`],
  ]);
  return ['called without a certificate:', table([['ADDRESS', 'DESTINATION', 'METHOD', 'CALLS', 'WERE', 'FIRST', 'LAST'], ...rows]), ...moreOf(others)];
}

function denialLines({ denials, otherDeniedCalls: others }: Guarded, nowMs: number): readonly string[] {
  if (denials.length === 0) return ['no intention has refused a call'];
  const rows = denials.map(({ source, destination, method, intention, permission, calls, lastMs }) => [
    ...[source || '-', destination, method, permission === undefined ? intention : `${intention}, permission ${permission}`, String(calls), `${roughTime(nowMs - lastMs)} ago`],
  ]);
  return ['refused by intention:', table([['SOURCE', 'DESTINATION', 'METHOD', 'BY', 'CALLS', 'LAST'], ...rows]), ...moreOf(others)];
}

function moreOf(others: number): readonly string[] {
  return others === 0 ? [] : [`and ${others} calls more, of callers too many to list`];
}

export function reportForPrograms({ withoutCertificate, denials, ...counts }: Guarded): object {
  const dated = <E extends { readonly firstMs: number; readonly lastMs: number }>({ firstMs, lastMs, ...rest }: E) => ({
    ...rest,
    ...{ firstTime: new Date(firstMs).toISOString(), lastTime: new Date(lastMs).toISOString() },
  });
  return { withoutCertificate: withoutCertificate.map(dated), denied: denials.map(dated), ...counts };
}
