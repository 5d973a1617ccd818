import { type Output, table } from '../output.ts';
import { loadSettings, SETTINGS } from '../settings.ts';

const MASK = '********';

/** `mesh config`: every setting as it takes effect here, and where it comes from. */
export async function configCommand(output: Output): Promise<void> {
  const { values, origins } = await loadSettings();
  // Only now: the mesh's code is nothing that other settings need. INVALID_SETTING, as at a start.
  await (await import('../policies/require-policy-settings.ts')).requirePolicySettings(values.MESH_POLICY);
  const settings = Object.entries(SETTINGS).map(([name, { desc = '', secret }]) => {
    // loadSettings has a value for every declared name.
    const value = String((values as Readonly<Record<string, unknown>>)[name]);
    return { name, value: secret ? maskSecret(value) : maskPassword(value), origin: origins[name] ?? 'default', doc: desc };
  });
  output.answer(
    () => table([['SETTING', 'VALUE', 'ORIGIN', 'MEANING'], ...settings.map(({ name, value, origin, doc }) => [name, value || '-', origin, doc])]),
    settings,
  );
}

/** Of a database's URL only server and database are shown; which they are is what people look for. */
function maskSecret(value: string): string {
  const url = /^postgres(ql)?:/.test(value) ? URL.parse(value) : null;
  if (url) return `${url.protocol}//${MASK}@${url.host}${url.pathname}`;
  return value && MASK;
}

/** An address may hold a password although it should not. */
function maskPassword(value: string): string {
  return value.replace(/\/\/[^/@\s]*@/, `//${MASK}@`);
}
