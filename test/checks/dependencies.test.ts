import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { projectRoot } from './support/project-copy.ts';

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  readonly optionalDependencies: Versions;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Locked {
  readonly integrity?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  /** One, or a list. */
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
}

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');
// Both are npm's, in the shape that npm gives them.
const manifest = JSON.parse(read('package.json')) as Manifest;
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };

/** The last part of the path: the same package may be there in several places. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const namesOf = (group: object): string[] => Object.keys(group);

/** The rows of a section's tables, of which each begins with a package. */
function rowsOf(title: string): Map<string, string[]> {
  const [, section = ''] = new RegExp(`\n## ${title}\n(.*?)(?=\n## |$)`, 's').exec(read('docs/dependencies.md')) ?? [];
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, name = '', cells = '']) => [name, cells.split(' | ')] as const);
  expect(rows.map(([name]) => name), 'a package twice').to.have.length(new Set(rows.map(([name]) => name)).size);
  return new Map(rows);
}

/** A cell of a licence says at least what the package says of itself. */
function expectLicences(rows: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, cells] of rows) {
    const { license } = packages[`node_modules/${name}`] ?? {};
    if (license) expect(cells.at(-1), name).to.equal(license.replace(/^\((.*)\)$/, '$1'));
    else expect(cells.at(-1), name).not.to.equal('');
  }
}

describe('docs/dependencies.md', () => {
  it('says what each package is for that the program needs, and no other', () => {
    const rows = rowsOf('At run time');
    expect([...rows.keys()]).to.have.members([...namesOf(manifest.dependencies), ...namesOf(manifest.optionalDependencies)]);
    expectLicences(rows);
  });

  it('says the same of those for development', () => {
    const rows = rowsOf('For development');
    expect([...rows.keys()]).to.have.members(namesOf(manifest.devDependencies));
    expectLicences(rows);
  });

  it('leaves no cell empty', () => {
    for (const [name, cells] of [...rowsOf('At run time'), ...rowsOf('For development')]) expect(cells.filter((cell) => /^[\s|]*$/.test(cell)), name).to.deep.equal([]);
  });

  it('names every package that has an install script, and whether it is allowed', () => {
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    const rows = rowsOf('Install scripts');
    expect([...rows.keys()]).to.have.members([...new Set(scripted)]);
    const allowed = [...rows].filter(([, cells]) => cells.at(-1) === 'yes').map(([name]) => name);
    expect(Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed).map(([name]) => name)).to.have.members(allowed);
  });
});

describe('install scripts', () => {
  /** Systems on which the project's Node runs. */
  const systems = namesOf(manifest.optionalDependencies).map((name) => packages[`node_modules/${name}`] ?? {});
  const fits = (wanted: Locked['os'], there: Locked['os']): boolean => wanted === undefined || [wanted].flat().some((name) => [there].flat().includes(name));
  const isInstalledSomewhere = ({ os, cpu }: Locked): boolean => systems.some((system) => fits(os, system.os) && fits(cpu, system.cpu));

  it('are allowed, or of a package for a system on which the project does not run', () => {
    const others = Object.entries(packages).filter(([path, locked]) => locked.hasInstallScript && manifest.allowScripts[nameOf(path)] !== true && isInstalledSomewhere(locked));
    expect(others.map(([path]) => path)).to.deep.equal([]);
  });
});

describe('the lock', () => {
  it('has a hash of every package, so that none can be another than was reviewed', () => {
    const without = Object.entries(packages).filter(([path, { integrity }]) => path !== '' && !integrity?.startsWith('sha512-'));
    expect(without.map(([path]) => path)).to.deep.equal([]);
  });
});
