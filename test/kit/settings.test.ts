import { expect } from 'chai';

import { duration, flag, integer, oneOf, parseDurationMs, resolveSettings, type SettingSources, text } from '#kit';

import { refusalOf } from './support.ts';

const SPECS = {
  MESH_ZONE: text({ default: 'local', doc: 'Zone' }),
  MESH_RETRIES: integer({ default: 3, min: 0, max: 10, doc: 'Retries' }),
  MESH_WAIT: duration({ default: 500, doc: 'Wait' }),
  MESH_TRACED: flag({ default: true, doc: 'Traced' }),
  MESH_TOPOLOGY: oneOf(['micro', 'monolith'], { default: 'micro', doc: 'Topology' }),
  STRIPE_API_KEY: text({ default: '', secret: true, doc: 'Key' }),
};

const resolve = (sources: Partial<SettingSources>) => resolveSettings(SPECS, { flags: {}, environment: {}, file: {}, ...sources });

describe('settings', () => {
  it('have their defaults, typed', () => {
    const { values, origins } = resolve({});
    expect(values).to.deep.equal({
      MESH_ZONE: 'local',
      MESH_RETRIES: 3,
      MESH_WAIT: 500,
      MESH_TRACED: true,
      MESH_TOPOLOGY: 'micro',
      STRIPE_API_KEY: '',
    });
    expect(new Set(Object.values(origins))).to.deep.equal(new Set(['default']));
  });

  it('come from a flag before the environment, and from that before the file', () => {
    const { values, origins } = resolve({
      flags: { MESH_ZONE: 'flag' },
      environment: { MESH_ZONE: 'environment', MESH_RETRIES: '1' },
      file: { MESH_ZONE: 'file', MESH_RETRIES: '2', MESH_WAIT: '2s' },
    });
    expect(values).to.include({ MESH_ZONE: 'flag', MESH_RETRIES: 1, MESH_WAIT: 2_000 });
    expect(origins).to.include({ MESH_ZONE: 'flag', MESH_RETRIES: 'environment', MESH_WAIT: 'mesh.config.ts', MESH_TRACED: 'default' });
  });

  it('that are empty count as not set', () => {
    const { values, origins } = resolve({ flags: { MESH_ZONE: undefined }, environment: { MESH_ZONE: '' }, file: { MESH_ZONE: 'file' } });
    expect([values.MESH_ZONE, origins['MESH_ZONE']]).to.deep.equal(['file', 'mesh.config.ts']);
  });

  it('say which of them are secret', () => {
    const secret = Object.entries(SPECS).filter(([, spec]) => spec.secret);
    expect(secret.map(([name]) => name)).to.deep.equal(['STRIPE_API_KEY']);
  });

  for (const [what, sources] of [
    ['the environment', { environment: { MESH_ZOEN: 'b' } }],
    ['the file', { file: { MESH_ZOEN: 'b' } }],
  ] as const) {
    it(`that ${what} misspells are refused by name`, () => {
      const refused = refusalOf(() => resolve(sources));
      expect(refused).to.include({ code: 'FAILED_PRECONDITION', reason: 'INVALID_SETTING' });
      expect(refused.message).to.contain('MESH_ZOEN').and.to.contain('mesh config');
    });
  }

  it('that are named like something every object has are unknown too', () => {
    expect(refusalOf(() => resolve({ file: { constructor: 'x' } })).message).to.contain('constructor is not a setting');
  });

  it('of other programs are none of ours', () => {
    expect(() => resolve({ environment: { PATH: '/bin', SOME_MESH_ZONE: 'b' } })).not.to.throw();
  });

  it('that are bad are named all at once, with where they came from and what they may be', () => {
    const refused = refusalOf(() =>
      resolve({
        flags: { MESH_RETRIES: '11' },
        environment: { MESH_WAIT: 'soon', MESH_TRACED: 'yes' },
        file: { MESH_TOPOLOGY: 'mini' },
      }),
    );
    expect(refused.reason).to.equal('INVALID_SETTING');
    expect(refused.message.split('; ')).to.have.members([
      'MESH_RETRIES (flag): "11" is not a whole number from 0 to 10',
      'MESH_WAIT (environment): "soon" is not a time span',
      'write it like 500ms, 2s or 5m',
      'MESH_TRACED (environment): "yes" is neither true nor false',
      'MESH_TOPOLOGY (mesh.config.ts): "mini" is not one of micro, monolith',
    ]);
  });

  for (const value of ['-1', '11', '1.5', '1e1', '0x1', ' ', '3 apples', 'NaN', 'Infinity']) {
    it(`that want a whole number from 0 to 10 refuse "${value}"`, () => {
      expect(refusalOf(() => resolve({ environment: { MESH_RETRIES: value } })).message).to.contain('whole number from 0 to 10');
    });
  }

  for (const [value, expected] of [
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ] as const) {
    it(`that are true or false read "${value}" as ${expected}`, () => {
      expect(resolve({ environment: { MESH_TRACED: value } }).values.MESH_TRACED).to.equal(expected);
    });
  }
});

describe('a time span', () => {
  for (const [value, expected] of [
    ['500ms', 500],
    ['2s', 2_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['250', 250],
    ['0', 0],
  ] as const) {
    it(`"${value}" is ${expected} ms`, () => {
      expect(parseDurationMs(value)).to.equal(expected);
    });
  }

  for (const value of ['', ' ', 'soon', '-1s', '1 fortnight', '1s 2s', '1e3', 'Infinity', '9'.repeat(200)]) {
    it(`is not "${value.slice(0, 20)}", and the sentence says how to write one`, () => {
      expect(() => parseDurationMs(value)).to.throw(/is not a time span; write it like 500ms, 2s or 5m/);
    });
  }
});
