import { expect } from 'chai';

import { createSharedWatch, type WatchSink } from '../../discovery/consul/shared-watch.ts';

describe('a shared watch', () => {
  it('does not listen to a run that is over', async () => {
    const sinks: WatchSink<string>[] = [];
    const watch = createSharedWatch<string>({
      equal: Object.is,
      run: async (sink) => void sinks.push(sink),
    });
    const heard: string[] = [];
    const listener = { onValue: (value: string) => void heard.push(value), onError: () => void heard.push('error') };
    await watch.subscribe(listener).stop();
    const second = watch.subscribe(listener);
    sinks[0]?.publish('old');
    sinks[1]?.publish('new');
    await second.stop();
    expect(heard).to.deep.equal(['new']);
  });
});
