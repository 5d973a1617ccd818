import type { IncomingHttpHeaders } from 'node:http2';

/** At most eight digits and a unit (gRPC over HTTP/2, "Timeout"). */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
/** The most of a unit that fits a timer, which has 31 bits of milliseconds: 24 days. In the others eight digits do. */
const MOST: Readonly<Record<string, number>> = { H: 596, M: 35_791, S: 2_147_483 };

/**
 * Sees to it that grpc-js reads of a call's timeout what it says: by itself it takes any text with a digit and a unit in
 * it, and a time of over 24 days, such as `597H`, for one that has passed. A longer one becomes 24 days. False when it is
 * none.
 */
export function settleTimeout(headers: IncomingHttpHeaders): boolean {
  const timeout = headers['grpc-timeout'];
  if (timeout === undefined) return true;
  const [, digits, unit = ''] = TIMEOUT.exec(String(timeout)) ?? [];
  if (digits === undefined) return false;
  const most = MOST[unit];
  // grpc-js gets the same object next.
  if (most !== undefined && Number(digits) > most) headers['grpc-timeout'] = `${most}${unit}`;
  return true;
}
