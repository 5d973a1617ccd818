import { type Program, startProgram } from '../rpc/program.ts';
import type { Extent } from './catalogue.ts';

/** What every shop of the benchmark stands on besides its Postgres. */
export interface Surroundings {
  /** Base address of the receiver of its spans. */
  readonly otlpEndpoint: string;
  readonly stripeUrl: string;
  readonly stripeKey: string;
  readonly extent: Extent;
}

/** The receiver of spans and the card company, one of each for everybody. */
export interface Field {
  /** @param sender names the shop, so that it can be seen that its spans arrive */
  of(sender: string): Surroundings;
  /** Spans that have arrived from each sender. */
  spans(): Promise<Readonly<Record<string, number>>>;
  /** Throws when an order was charged twice. */
  checkCards(): Promise<void>;
  stop(): Promise<void>;
}

/** A test key; the card company of the benchmark takes any. */
const STRIPE_KEY = 'sk_test_bench';

export async function startField(extent: Extent): Promise<Field> {
  const sink: Program<{ readonly port: number }> = await startProgram('span-sink', {});
  const cards: Program<{ readonly port: number }> = await startProgram('../orders/card-program', {});
  return {
    of: (sender) => ({ otlpEndpoint: `http://127.0.0.1:${sink.ready.port}/${sender}`, stripeUrl: `http://127.0.0.1:${cards.ready.port}`, stripeKey: STRIPE_KEY, extent }),
    spans: () => sink.ask('counts'),
    async checkCards() {
      const { chargedTwice } = await cards.ask<{ chargedTwice: number }>('counts');
      if (chargedTwice > 0) throw new Error(`${chargedTwice} orders were charged twice: this is no measurement`);
    },
    async stop() {
      await Promise.all([sink.stop(), cards.stop()]);
    },
  };
}
