import { expect } from 'chai';

import { whoAmI } from '../../cli/who-am-i.ts';

describe('who runs a command', () => {
  const nameless = (): string => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  };

  it('is the user of this machine', () => {
    expect(whoAmI({ username: () => 'ada', environment: { USER: 'bob' }, uid: 1_000 })).to.equal('ada');
  });

  it('is $USER where the uid has no name, as in a container', () => {
    expect(whoAmI({ username: nameless, environment: { USER: 'bob' }, uid: 4_711 })).to.equal('bob');
  });

  it('is the uid where nothing has a name', () => {
    expect(whoAmI({ username: nameless, environment: {}, uid: 4_711 })).to.equal('uid-4711');
    expect(whoAmI({ username: () => '', environment: { USER: '' }, uid: undefined })).to.equal('uid-unknown');
  });

  it('is found out from the process itself where nobody says otherwise', () => {
    expect(whoAmI()).to.not.equal('');
  });
});
