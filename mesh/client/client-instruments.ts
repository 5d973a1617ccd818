import type { ClientInterceptor } from '../call.ts';
import type { Method } from '../method.ts';
import type { DestinationReading } from './balancing/destination-reading.ts';
import type { BudgetCounts } from './budget.ts';

/** How one service does, as this process sees it, and what was sent to it again. */
export interface DestinationFigures extends Omit<DestinationReading, 'service'> {
  readonly budget: BudgetCounts;
  readonly hedgesWon: number;
}

/** What is measured of the calls that a process makes. The links are lists, empty where nobody measures. */
export interface ClientInstruments {
  /** Outermost in the chain. */
  clientCall(method: Method): readonly ClientInterceptor[];
  /** Below retries and hedging. */
  clientAttempt(method: Method): readonly ClientInterceptor[];
  /** Once for each service; `read` is asked whenever metrics are collected. */
  watchDestination(service: string, read: () => DestinationFigures): void;
}
