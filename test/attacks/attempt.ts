import { MeshError } from '#kit';

import { type Attempt, refused, succeeded } from './attack.ts';

/** How an attempt is expected to be refused. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

/** Refused is only what is refused for the right reason: any other error is neither, and fails the test. */
export async function attempt(work: Promise<unknown>, { code, reason }: Refusal): Promise<Attempt> {
  try {
    await work;
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== code || thrown.reason !== reason) throw thrown;
    const why = thrown.metadata['why'];
    return refused([code, reason, ...(why === undefined ? [] : [why])].join(' '));
  }
  return succeeded('taken');
}
