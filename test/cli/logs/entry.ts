/** What tests write was written then, by the clocks of the services. */
export const BEGAN_MS = Date.now() - 60_000;

/** A line as a service's log writes it, this many milliseconds after {@link BEGAN_MS}. */
export function entry(afterMs: number, service: string | undefined, msg: string, others: object = {}): string {
  return `${JSON.stringify({ level: 'info', time: new Date(BEGAN_MS + afterMs).toISOString(), service, ...others, msg })}\n`;
}
