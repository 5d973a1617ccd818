import type { Transport } from '../support/fleet.ts';
import { useTracePropagation } from '../support/telemetry.ts';
import { answers } from './answers.ts';
import { callbacks } from './callbacks.ts';
import { cancellation } from './cancellation.ts';
import { clientStreamEnds } from './client-stream-ends.ts';
import { clientStreams } from './client-streams.ts';
import { deadlines } from './deadlines.ts';
import { leaks } from './leaks.ts';
import { leaving } from './leaving.ts';
import { streams } from './streams.ts';
import { traces } from './traces.ts';
import { validation } from './validation.ts';

/** What holds for every call, whether the callee sits in this process or across the network. */
export function conformance(transport: Transport): void {
  conformanceOfCalls(transport);
  leaks(transport);
}

/** The same without the thousands of calls that would show a leak. */
export function conformanceOfCalls(transport: Transport): void {
  useTracePropagation();
  answers(transport);
  validation(transport);
  deadlines(transport);
  cancellation(transport);
  streams(transport);
  leaving(transport);
  callbacks(transport);
  clientStreams(transport);
  clientStreamEnds(transport);
  traces(transport);
}
