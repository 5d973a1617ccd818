import { expect } from 'chai';

import { MeshError, type Reason } from '#kit';

/** The MeshError that `work` rejects with; fails when it does not, or gives another reason. */
export async function expectRefusal(reason: Reason, work: Promise<unknown>): Promise<MeshError> {
  let thrown: unknown;
  try {
    await work;
  } catch (caught) {
    thrown = caught;
  }
  if (!(thrown instanceof MeshError)) expect.fail(`expected ${reason}, got ${String(thrown)}`);
  expect(thrown.reason, thrown.message).to.equal(reason);
  return thrown;
}
