import type { OrderedFault } from '#mesh';

/** `30 % of the calls wait 2 s and fail with UNAVAILABLE`. */
export function faultInWords({ percent, delayMs, abort }: Pick<OrderedFault, 'percent' | 'delayMs' | 'abort'>): string {
  const [who, waits, fails] = percent === 100 ? ['every call', 'waits', 'fails'] : [`${percent} % of the calls`, 'wait', 'fail'];
  const does = [...(delayMs > 0 ? [`${waits} ${delayInWords(delayMs)}`] : []), ...(abort === undefined ? [] : [`${fails} with ${abort}`])];
  return `${who} ${does.join(' and ')}`;
}

function delayInWords(delayMs: number): string {
  return delayMs < 1_000 ? `${delayMs} ms` : `${delayMs / 1_000} s`;
}
