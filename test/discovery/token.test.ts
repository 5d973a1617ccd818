import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

import { fixedToken, tokenFromFile } from '../../discovery/consul/token.ts';
import { createMemoryLog } from './support/memory-log.ts';

describe('the token of Consul', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-token-test-'));
    path = join(folder, 'token');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is none where an empty one is set', () => {
    expect(fixedToken('').current()).to.equal(undefined);
    expect(fixedToken('abc').current()).to.equal('abc');
  });

  it('is read from its file anew, without what ends the line', async () => {
    const { log, text, lines } = createMemoryLog();
    const token = tokenFromFile({ path, log });
    await writeFile(path, 'first\r\n');
    await token.refresh();
    expect([token.current(), token.changes()]).to.deep.equal(['first', 0]);
    await writeFile(`${path}.new`, 'second\n');
    await rename(`${path}.new`, path);
    await Promise.all([token.refresh(), token.refresh()]);
    expect([token.current(), token.changes()]).to.deep.equal(['second', 1]);
    expect(lines('new token')).to.have.length(1);
    expect(text()).to.not.match(/first|second/);
  });

  it('stays while its file cannot be read, which is said once', async () => {
    const { log, lines } = createMemoryLog();
    const token = tokenFromFile({ path, log });
    await writeFile(path, 'first');
    await token.refresh();
    await rm(path);
    for (const content of [undefined, '', 'two tokens', 'a\nb', 'x'.repeat(5_000), 'naïve']) {
      if (content !== undefined) await writeFile(path, content);
      await token.refresh();
      expect(token.current(), content).to.equal('first');
    }
    expect(lines('cannot be read')).to.have.length(1);
    await writeFile(path, 'second');
    await token.refresh();
    expect(token.current()).to.equal('second');
  });

  it('must be there at first, and is in no error', async () => {
    const { log } = createMemoryLog();
    const missing: unknown = await tokenFromFile({ path, log }).refresh().catch((error: unknown) => error);
    expect(missing).to.include({ reason: 'INVALID_SETTING' });
    expect(String(missing)).to.contain('CONSUL_HTTP_TOKEN_FILE').and.to.contain('ENOENT');
    await writeFile(path, 'secret one');
    const odd: unknown = await tokenFromFile({ path, log }).refresh().catch((error: unknown) => error);
    expect(odd).to.include({ reason: 'INVALID_SETTING' });
    expect(String(odd)).to.not.contain('secret');
  });
});
