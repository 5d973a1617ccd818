import { printable } from '#kit';

/** What a span's kind looks like in front of its name: going out, or taken from a queue. */
export const ARROWS = { internal: '', server: '', client: '→ ', producer: '» ', consumer: '« ' } as const;

/** `0 ms`, `0.42 ms`, `43.1 ms`, `1.20 s`: eight characters at most, up to a day. */
export function timeOf(us: number): string {
  const ms = us / 1000;
  if (ms === 0) return '0 ms';
  // Rounded first: 999.96 ms is a second.
  if (ms < 999.95) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  return `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 0)} s`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Shortened at its end to `room` characters, which `…` shows. */
export function cutTail(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** Shortened at its beginning. */
export function cutHead(text: string, room: number): string {
  return text.length <= room ? text : `…${text.slice(text.length - Math.max(0, room - 1))}`;
}

/** `shop.order.v1.OrderService/PlaceOrder` without its package, which the service says already. */
export function shortName(name: string): string {
  return printable(name).replace(/^(?:\w+\.)+(?=\w+\/\w+$)/, '');
}
