import type { Log } from '#kit';

import { startDueWork } from './due-work.ts';
import { settleRefunds } from './settling.ts';
import type { Background, Simulator } from './simulator.ts';
import { createWebhookSender } from './webhook-sender.ts';
import type { WebhookTarget } from './webhook-target.ts';
import { createDelivery } from './webhooks.ts';

export interface RunningBackground extends Background {
  /** Resolves when all of it has ended, after the signal has aborted. */
  readonly ended: Promise<unknown>;
}

export interface BackgroundOptions {
  readonly webhook: WebhookTarget | undefined;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Lets refunds settle, and tells the webhook what happened. A webhook that hangs holds no refund up. */
export function startBackground(simulator: Simulator, { webhook, signal, log }: BackgroundOptions): RunningBackground {
  const { clock } = simulator;
  const common = { signal, clock, log };
  const settling = startDueWork({ ...common, work: () => settleRefunds(simulator), failure: 'the card-payment simulator could not settle refunds; it goes on trying' });
  const wakeSettling = settling.wake;
  if (webhook === undefined) return { wakeSettling, wakeDelivery: () => {}, ended: settling.ended };
  const sender = createWebhookSender(webhook, clock);
  const work = createDelivery(simulator, sender, signal, log);
  const delivery = startDueWork({ ...common, work, failure: 'the card-payment simulator could not read its events; it goes on trying' });
  return { wakeSettling, wakeDelivery: delivery.wake, ended: Promise.all([settling.ended, delivery.ended]).then(() => sender.close()) };
}
