import type { Event, StoredEvent } from '#events';

import { table } from '../output.ts';

/** Letters of the data that are shown where there is no terminal, or a narrow one. */
const LEAST_DATA = 60;

/** For people: a line each, the data cut to what the terminal has room for. */
export function renderEvents(events: readonly StoredEvent[], width = 0, isFirst = true): string {
  const heads = events.map(({ event }) => [event.time.toISOString(), nameOf(event.type), event.subject, event.source]);
  const titles = isFirst ? [['TIME', 'TYPE', 'SUBJECT', 'SOURCE']] : [];
  const before = widthOf([...titles, ...heads]);
  const room = Math.max(LEAST_DATA, width - before);
  const rows = heads.map((head, index) => [...head, cut(JSON.stringify(events[index]?.event.data), room)]);
  return table([...titles.map((title) => [...title, 'DATA']), ...rows]);
}

/** For programs: as CloudEvents writes it in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). */
export function cloudEvent({ id, source, type, subject, time, data, traceparent }: Event): object {
  return { specversion: '1.0', id, source, type, subject, time: time.toISOString(), datacontenttype: 'application/json', data, ...(traceparent !== undefined && { traceparent }) };
}

/** `OrderPlaced` of `shop.order.v1.OrderPlaced`. */
export function nameOf(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** Columns of these cells as a table, with what stands between them and the next one. */
function widthOf(rows: readonly (readonly string[])[]): number {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + 2).reduce((sum, column) => sum + column, 0);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
