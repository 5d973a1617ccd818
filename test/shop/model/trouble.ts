import { randomBytes } from 'node:crypto';

import type { RealShop } from './real-shop.ts';
import type { ShopModel } from './shop-model.ts';

/** Something that happens once to the call that it is given with, or to what that begins. */
export interface Trouble {
  readonly kind: 'kill' | 'lose';
  /** As in faults/faulty.ts. */
  readonly point: string;
}

/** A killed process costs seconds: a history has few. */
export const MAX_KILLS = 3;

export function mayMeet({ kills }: Pick<ShopModel, 'kills'>, trouble: Trouble | undefined): boolean {
  return trouble?.kind !== 'kill' || kills < MAX_KILLS;
}

/** Such as `, and a process dies at "after step charge"`; empty without one. */
export function describeTrouble(trouble: Trouble | undefined): string {
  if (!trouble) return '';
  return trouble.kind === 'kill' ? `, and a process dies at "${trouble.point}"` : `, and what comes of "${trouble.point}" is lost`;
}

/** Runs calls, to be sent with these headers, in the trouble that was laid down for them. It may not be met. */
export async function inTrouble<T>(model: ShopModel, real: RealShop, trouble: Trouble | undefined, run: (headers: Record<string, string>) => Promise<T>): Promise<T> {
  if (!trouble) return run({});
  const { kind, point } = trouble;
  const traceId = randomBytes(16).toString('hex');
  const armed = real.shop.arm({ traceId, point, action: { kind } });
  const before = real.disturbed;
  real.disturbed = true;
  try {
    return await run({ traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` });
  } finally {
    const struck = !armed.isArmed();
    armed.disarm();
    if (!struck) real.journal.push(`  nobody came by "${point}"`);
    const killed = struck && kind === 'kill';
    if (killed) model.kills += 1;
    real.disturbed = before || killed;
  }
}
