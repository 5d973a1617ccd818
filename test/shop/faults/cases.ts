/** What goes wrong at a step. */
export const FAILURES = ['refused', 'slow', 'answer lost', 'order killed before', 'order killed after', 'callee killed before', 'callee killed after'] as const;

export type Failure = (typeof FAILURES)[number];

/** How it ends. `stuck, …`: the saga is parked until an operator retries it, and then ends so. */
export type Ending = 'CONFIRMED' | 'FAILED' | 'CANCELLED' | 'stuck, then FAILED' | 'stuck, then CANCELLED';

/** One step on one of the ways of an order. */
export interface FailingStep {
  /** `place`: on the way forward; `undo`: on the way back, since the reservation is said to have expired when it is to be confirmed; `cancel`: a confirmed order is called off. */
  readonly way: 'place' | 'undo' | 'cancel';
  readonly step: string;
  /** The call that the step makes. */
  readonly method: string;
  /** How the order ends when the step is refused, and by any other failure. */
  readonly refused: Ending;
  readonly otherwise: Ending;
}

export const STEPS: readonly FailingStep[] = [
  { way: 'place', step: 'reserve', method: 'Reserve', refused: 'FAILED', otherwise: 'CONFIRMED' },
  { way: 'place', step: 'charge', method: 'Charge', refused: 'FAILED', otherwise: 'CONFIRMED' },
  { way: 'place', step: 'schedule shipment', method: 'ScheduleShipment', refused: 'FAILED', otherwise: 'CONFIRMED' },
  { way: 'place', step: 'confirm', method: 'Commit', refused: 'FAILED', otherwise: 'CONFIRMED' },
  { way: 'undo', step: 'schedule shipment', method: 'CancelShipment', refused: 'stuck, then FAILED', otherwise: 'FAILED' },
  { way: 'undo', step: 'charge', method: 'Refund', refused: 'stuck, then FAILED', otherwise: 'FAILED' },
  { way: 'undo', step: 'reserve', method: 'Release', refused: 'stuck, then FAILED', otherwise: 'FAILED' },
  { way: 'cancel', step: 'cancel shipment', method: 'CancelShipment', refused: 'CONFIRMED', otherwise: 'CANCELLED' },
  { way: 'cancel', step: 'refund', method: 'Refund', refused: 'stuck, then CANCELLED', otherwise: 'CANCELLED' },
  { way: 'cancel', step: 'restock', method: 'Restock', refused: 'stuck, then CANCELLED', otherwise: 'CANCELLED' },
];

/** One cell of the table in docs/orders.md. */
export interface FailureCase extends FailingStep {
  readonly failure: Failure;
  readonly ending: Ending;
}

export const CASES: readonly FailureCase[] = STEPS.flatMap((step) =>
  FAILURES.map((failure) => ({ ...step, failure, ending: failure === 'refused' ? step.refused : step.otherwise })),
);

export function isKill({ failure }: FailureCase): boolean {
  return failure.includes('killed');
}

export function nameOf({ way, step, failure }: FailureCase): string {
  return `${WAYS[way]} ${step}: ${failure}`;
}

const WAYS = { place: 'placing,', undo: 'undoing,', cancel: 'cancelling,' } as const;
