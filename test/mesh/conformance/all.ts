import type { Transport } from '../support/fleet.ts';
import { answers } from './answers.ts';
import { cancellation } from './cancellation.ts';
import { deadlines } from './deadlines.ts';
import { streams } from './streams.ts';
import { validation } from './validation.ts';

/** What holds for every call, whether the callee sits in this process or across the network. */
export function conformance(transport: Transport): void {
  answers(transport);
  validation(transport);
  deadlines(transport);
  cancellation(transport);
  streams(transport);
}
