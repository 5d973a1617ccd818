import { expect } from 'chai';

import { loadLater } from '../../services/notification/channel/load-later.ts';
import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import { freely, MAIL } from './test-channel.ts';

const CHANNEL: MailChannel = { send: async () => ({ kind: 'taken' }), wasTaken: async () => true, stop: async () => {} };

describe('a channel that is loaded with the first mail', () => {
  it('is loaded once', async () => {
    let loads = 0;
    const channel = loadLater(async () => {
      loads += 1;
      return CHANNEL;
    });
    await channel.stop();
    expect(loads).to.equal(0);
    for (let twice = 0; twice < 2; twice += 1) expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    expect(loads).to.equal(1);
  });

  it('is loaded again when that failed, and can be stopped all the same', async () => {
    let isBroken = true;
    const channel = loadLater(() => (isBroken ? Promise.reject(new Error('too many open files')) : Promise.resolve(CHANNEL)));
    expect(await channel.send(MAIL, freely()).catch((thrown: unknown) => thrown)).to.be.instanceOf(Error);
    await channel.stop();
    isBroken = false;
    expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
  });
});
