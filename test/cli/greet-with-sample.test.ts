import { expect } from 'chai';

import { refusal } from '#kit';

import { greetWithSample } from '../../cli/local/greet-with-sample.ts';
import type { Output } from '../../cli/output.ts';

describe('a sample order that fails', () => {
  const failure = refusal('NO_INSTANCE', 'no instance of user answers');

  async function greet(json: boolean, signal: AbortSignal): Promise<string> {
    let written = '';
    const output: Output = {
      ...{ json, width: undefined, readerGone: new AbortController().signal, note: () => undefined },
      answer: (forPeople, forPrograms) => void (written += json ? JSON.stringify(forPrograms) : forPeople()),
    };
    await greetWithSample({ show: () => Promise.reject(failure), output, signal });
    return written;
  }

  const goesOn = new AbortController().signal;

  it('does not end the shop: it is told, with the call that places it again', async () => {
    const said = await greet(false, goesOn);
    expect(said).to.include('The shop is up; the sample order failed: no instance of user answers (NO_INSTANCE)');
    const [, request = ''] = /npx mesh call --as demo order\.PlaceOrder '(.*)'$/m.exec(said) ?? [];
    expect(JSON.parse(request)).to.include({ userId: 'demo', paymentMethod: 'pm_card_visa' }).and.to.have.property('requestId');
  });

  it('is told to programs as an error', async () => {
    expect(JSON.parse(await greet(true, goesOn))).to.deep.equal({ error: { code: failure.code, reason: 'NO_INSTANCE', message: failure.message } });
  });

  it('matters no more to a shop that was told to stop', async () => {
    expect(await greet(false, AbortSignal.abort())).to.equal('');
  });
});
