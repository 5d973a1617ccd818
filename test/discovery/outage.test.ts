import { expect } from 'chai';

import { unavailable } from '../../discovery/consul/failure.ts';
import { createOutage } from '../../discovery/consul/outage.ts';
import { createMemoryLog } from './support/memory-log.ts';

const gone = unavailable('unreachable', 'connect ECONNREFUSED');
const refused = unavailable('refused', '403');

describe('an outage of Consul', () => {
  it('is one line when it begins and one when it ends, however many notice', () => {
    const { log, lines } = createMemoryLog();
    const outage = createOutage(log, 'http://consul');
    outage.succeeded('watch a');
    for (const party of ['watch a', 'watch b', 'watch a', 'registration c']) outage.failed(party, gone);
    expect(lines('Consul')).to.deep.equal(['Consul is gone; going on with its last good answers']);
    // What an agent without a leader still answers is no sign that all is well.
    for (const party of ['registration c', 'watch a', 'registration c']) outage.succeeded(party);
    expect(lines('Consul')).to.have.length(1);
    outage.succeeded('watch b');
    expect(lines('Consul')).to.deep.equal(['Consul is gone; going on with its last good answers', 'Consul is back']);
  });

  it('is not hidden by a refusal that lasts', () => {
    const { log, lines } = createMemoryLog();
    const outage = createOutage(log, 'http://consul');
    outage.failed('watch forbidden', refused);
    outage.failed('watch a', gone);
    outage.succeeded('watch a');
    outage.failed('watch forbidden', refused);
    expect(lines('Consul refuses')).to.have.length(1);
    expect(lines('is gone')).to.have.length(1);
    expect(lines('is back')).to.have.length(1);
  });

  it('tells each right that is missing once, however often it is missed', () => {
    const { log, lines, text } = createMemoryLog();
    const outage = createOutage(log, 'http://consul');
    const lacks = (right: string) => unavailable('refused', `lacks ${right}`);
    for (const right of ['service:read', 'key:read', 'service:read']) outage.failed(`watch ${right}`, lacks(right));
    for (let again = 0; again < 100; again += 1) outage.failed('another watch', lacks('service:read'));
    expect(lines('Consul refuses')).to.have.length(2);
    expect(text()).to.contain('lacks service:read').and.to.contain('lacks key:read');
    for (let different = 0; different < 100; different += 1) outage.failed('a watch', lacks(`right ${different}`));
    expect(lines('Consul refuses'), 'a bound').to.have.length(32);
  });

  it('forgets who has stopped asking', () => {
    const { log, lines } = createMemoryLog();
    const outage = createOutage(log, 'http://consul');
    outage.failed('watch a', gone);
    outage.failed('watch b', gone);
    outage.forget('watch a');
    outage.succeeded('watch b');
    expect(lines('is back')).to.have.length(1);
  });
});
