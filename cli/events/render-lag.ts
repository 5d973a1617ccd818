import { table } from '../output.ts';
import { roughTime } from '../status/rough-time.ts';
import type { EventLag, GroupLag, ServiceLag } from './measure-lag.ts';

/** For people: what waits to be published, and below it what waits to be consumed. */
export function renderLag({ outboxes, groups = [] }: EventLag): string {
  const waiting = table([['OUTBOX', 'WAITING', 'OLDEST', 'SET ASIDE'], ...outboxes.map(outboxRow)]);
  if (groups.length === 0) return waiting;
  return `${waiting}\n\n${table([['GROUP', 'TOPIC', 'BEHIND'], ...groups.map(groupRow)])}`;
}

function outboxRow(lag: ServiceLag): string[] {
  if ('trouble' in lag) return [lag.service, '?', '?', '?'];
  return [lag.service, String(lag.events), lag.events === 0 ? '-' : roughTime(lag.oldestMs), String(lag.refused)];
}

function groupRow({ group, topic, events }: GroupLag): string[] {
  return [group, topic, String(events)];
}
