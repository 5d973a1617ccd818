import { expect } from 'chai';

import { ask, type HttpAnswer, indexOf } from '../support/http.ts';

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly Flags: number;
  readonly LockIndex: number;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** The key-value store over HTTP. */
export function describeKeyValues(address: () => string): void {
  describe('the HTTP API for keys', () => {
    const get = (key: string): Promise<HttpAnswer> => ask(address(), 'GET', `/v1/kv/${key}`);
    const put = (key: string, value: string): Promise<HttpAnswer> => ask(address(), 'PUT', `/v1/kv/${key}`, value);
    const remove = (key: string): Promise<HttpAnswer> => ask(address(), 'DELETE', `/v1/kv/${key}`);
    const entryOf = async (key: string): Promise<Entry | undefined> => (await get(key)).json<Entry[]>()[0];

    afterEach(() => remove('test/?recurse'));

    it('writes and reads', async () => {
      expect((await put('test/a?flags=42', 'one')).text.trim()).to.equal('true');
      const answer = await get('test/a');
      const [entry] = answer.json<Entry[]>();
      expect(entry).to.include({ Key: 'test/a', Value: 'b25l', Flags: 42, LockIndex: 0 });
      expect(indexOf(answer)).to.equal(entry?.ModifyIndex);
      expect(answer.headers.get('x-consul-knownleader')).to.equal('true');
      const raw = await get('test/a?raw');
      expect(raw.text).to.equal('one');
      expect(raw.headers.get('content-type')).to.match(/^text\/plain/);
    });

    it('keeps the index of a value that is written again', async () => {
      await put('test/a', 'one');
      const before = await entryOf('test/a');
      await put('test/a', 'one');
      expect(await entryOf('test/a')).to.deep.equal(before);
      await put('test/a', 'two');
      const after = await entryOf('test/a');
      expect(after?.ModifyIndex).to.be.above(before?.ModifyIndex ?? Infinity);
      expect(after?.CreateIndex).to.equal(before?.CreateIndex);
    });

    it('answers what is not there with 404 and an index to wait on', async () => {
      for (const key of ['test/none', 'test/none?raw', 'test/none/?recurse']) {
        const answer = await get(key);
        expect([answer.status, answer.text], key).to.deep.equal([404, '']);
        expect(indexOf(answer)).to.be.at.least(1);
      }
    });

    it('checks and sets', async () => {
      const written = async (key: string, value: string) => (await put(key, value)).json<boolean>();
      expect(await written('test/a?cas=0', 'one')).to.equal(true);
      expect(await written('test/a?cas=0', 'two')).to.equal(false);
      const index = (await entryOf('test/a'))?.ModifyIndex;
      expect(await written(`test/a?cas=${index}`, 'two')).to.equal(true);
      expect(await written(`test/a?cas=${index}`, 'three')).to.equal(false);
      expect((await get('test/a?raw')).text).to.equal('two');
      expect(await written('test/none?cas=7', 'x')).to.equal(false);
    });

    it('checks and deletes', async () => {
      await put('test/a', 'one');
      const deleted = async (key: string) => (await remove(key)).json<boolean>();
      expect(await deleted('test/a?cas=0')).to.equal(false);
      expect(await deleted('test/a?cas=1')).to.equal(false);
      expect(await deleted(`test/a?cas=${(await entryOf('test/a'))?.ModifyIndex}`)).to.equal(true);
      expect((await get('test/a')).status).to.equal(404);
      expect(await deleted('test/a')).to.equal(true);
    });

    it('lists what is under a prefix, sorted, and deletes it', async () => {
      for (const key of ['test/b', 'test/a', 'test/a/deep', 'tester']) await put(key, key === 'test/b' ? '' : key);
      const entries = (await get('test/?recurse')).json<Entry[]>();
      expect(entries.map(({ Key }) => Key)).to.deep.equal(['test/a', 'test/a/deep', 'test/b']);
      expect(entries.at(-1)?.Value).to.equal(null);
      await remove('test/?recurse');
      expect((await get('test/?recurse')).status).to.equal(404);
      expect((await remove('tester')).json<boolean>()).to.equal(true);
    });

    it('takes encoded keys and bytes that are no text', async () => {
      await put('test%2Fsl%20ash', '\u00e9');
      expect((await entryOf('test/sl%20ash'))?.Value).to.equal('w6k=');
    });

    it('wakes a reader of a key, and of a prefix, on write and on delete', async () => {
      for (const [watched, changed] of [['test/a', 'test/a'], ['test/?recurse', 'test/b']] as const) {
        const query = watched.includes('?') ? '&' : '?';
        await put('test/a', 'one');
        const seen = indexOf(await get(watched));
        const writing = get(`${watched}${query}index=${seen}&wait=20s`);
        await put(changed, 'two');
        const written = await writing;
        expect(indexOf(written), watched).to.be.above(seen);
        expect(written.text).to.contain('dHdv');

        const deleting = get(`${watched}${query}index=${indexOf(written)}&wait=20s`);
        await remove(changed);
        const deleted = await deleting;
        expect(indexOf(deleted), watched).to.be.above(indexOf(written));
        expect(deleted.text).to.not.contain('dHdv');
        await remove('test/?recurse');
      }
    });

    it('refuses a value of more than 512 KB, and no key', async () => {
      const large = 'x'.repeat(512 * 1024);
      expect((await put('test/large', large)).status).to.equal(200);
      expect((await put('test/large', `${large}x`)).status).to.equal(413);
      expect((await put('', 'x')).status).to.equal(400);
    });
  });
}
